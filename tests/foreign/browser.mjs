// Opens the API page in a headless browser and calls an operation from it. Arguments: the browser, the page's address.
import { chromium } from "playwright-core";

const [executablePath, address] = process.argv.slice(2);
const browser = await chromium.launch({ executablePath, args: ["--no-sandbox"] });
try {
  const page = await browser.newPage();
  const problems = [];
  page.on("pageerror", (error) => problems.push(String(error)));
  page.on("request", (request) => {
    // A page that needs the network is empty without it.
    if (new URL(request.url()).host !== new URL(address).host) problems.push(`asked for ${request.url()}`);
  });
  await page.goto(address);
  await page.waitForSelector("details");
  const operations = await page.locator("details").count();
  if (operations !== 13) throw new Error(`${operations} operations`);

  const validate = page.locator("details", { hasText: "/03_05_load_balancer_cpu/validate" });
  await validate.locator("summary").click();
  await validate.locator("textarea").fill('{"text": "Hello Flash"}');
  await validate.locator("button").click();
  await validate.locator("output[data-status='200']").waitFor();
  const answer = JSON.parse(await validate.locator("output pre").innerText());
  if (answer.word_count !== 2) throw new Error(JSON.stringify(answer));

  const read = page.locator("details", { hasText: "GET/03_05_load_balancer_cpu/notes/{id}" });
  await read.locator("summary").click();
  await read.locator("input[name='id']").fill("77");
  await read.locator("button").click();
  await read.locator("output[data-status='404']").waitFor();
  const problem = JSON.parse(await read.locator("output pre").innerText());
  if (problem.code !== "no_such_note") throw new Error(JSON.stringify(problem));
  if (problems.length > 0) throw new Error(problems.join("\n"));
  console.log("the page works");
} finally {
  await browser.close();
}
