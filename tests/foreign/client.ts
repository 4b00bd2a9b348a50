// Calls the example through the types that openapi-typescript generated. The argument is the address.
import createClient from "openapi-fetch";
import type { paths } from "./api.js";

declare const process: { argv: string[] };

const client = createClient<paths>({ baseUrl: process.argv[2] });

function expect(found: unknown, expected: unknown): void {
  const [a, b] = [JSON.stringify(found), JSON.stringify(expected)];
  if (a !== b) throw new Error(`${a} is not ${b}`);
}

const health = await client.GET("/03_05_load_balancer_cpu/health");
expect(health.data?.service, "cpu");

const created = await client.POST("/03_05_load_balancer_cpu/notes", { body: { title: "milk" } });
expect(created.response.status, 201);
const note = created.data;
if (!note) throw new Error("no note");
const params = { path: { id: note.id } };
const one = "/03_05_load_balancer_cpu/notes/{id}";
expect((await client.GET(one, { params })).data, note);
expect((await client.PUT(one, { params, body: { title: "bread" } })).data?.title, "bread");
expect((await client.PATCH(one, { params, body: { text: "rye" } })).data?.text, "rye");
const found = await client.GET("/03_05_load_balancer_cpu/notes", { params: { query: { containing: "bread", limit: 5 } } });
expect(found.data?.map((found) => found.id), [note.id]);
expect((await client.DELETE(one, { params })).response.status, 204);

// The compiler knows the codes of an operation.
const gone = await client.GET(one, { params });
expect([gone.response.status, gone.error?.code], [404, "no_such_note"]);
const empty = await client.POST("/03_05_load_balancer_cpu/transform", { body: { text: " ", operation: "title" } });
expect([empty.response.status, empty.error?.code], [400, "empty_text"]);
const wrong = await client.POST("/03_05_load_balancer_gpu/compute", {
  // @ts-expect-error: the document says that these are numbers
  body: { numbers: ["one"] },
});
expect(wrong.error?.errors?.[0]?.path, "body.numbers[0]");
const computed = await client.POST("/03_05_load_balancer_gpu/compute", { body: { numbers: [1, 2] } });
expect(computed.data?.sum_of_squares, 5);
console.log("all calls were answered");
