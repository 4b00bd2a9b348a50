// JSON Schema, as far as forms and examples need it.

/** A schema without references and wrappers: `{ schema, optional }`. */
export function resolve(schema, components, depth = 0) {
  if (!schema || typeof schema !== "object" || depth > 12) return { schema: {}, optional: false };
  if (typeof schema.$ref === "string") {
    return resolve(components?.schemas?.[schema.$ref.split("/").at(-1)], components, depth + 1);
  }
  const choices = schema.anyOf ?? schema.oneOf;
  if (Array.isArray(choices)) {
    const real = choices.filter((choice) => choice.type !== "null");
    if (real.length === 1) return { schema: merge(schema, resolve(real[0], components, depth + 1).schema), optional: real.length < choices.length };
    const constants = real.map((choice) => choice.const ?? (choice.enum?.length === 1 ? choice.enum[0] : undefined));
    if (constants.every((value) => value !== undefined)) return { schema: { ...schema, anyOf: undefined, oneOf: undefined, enum: constants }, optional: real.length < choices.length };
  }
  if (Array.isArray(schema.allOf) && schema.allOf.length === 1) return resolve(merge(schema, resolve(schema.allOf[0], components, depth + 1).schema, "allOf"), components, depth + 1);
  if (Array.isArray(schema.type)) {
    const real = schema.type.filter((type) => type !== "null");
    return { schema: { ...schema, type: real.length === 1 ? real[0] : undefined }, optional: real.length < schema.type.length };
  }
  return { schema, optional: false };
}

const merge = (outer, inner) => ({ ...inner, description: outer.description ?? inner.description, default: outer.default ?? inner.default });

/** A value that fits. */
export function example(schema, components, depth = 0) {
  const { schema: real } = resolve(schema, components);
  if (depth > 6) return null;
  if (real.default !== undefined) return real.default;
  if (real.examples?.length > 0) return real.examples[0];
  if (real.const !== undefined) return real.const;
  if (real.enum?.length > 0) return real.enum[0];
  const choices = real.anyOf ?? real.oneOf;
  if (Array.isArray(choices)) return example(choices[0], components, depth + 1);
  switch (real.type) {
    case "string":
      return real.contentEncoding === "base64" ? "AAEC" : real.format === "date-time" ? "2030-01-01T00:00:00Z" : "text";
    case "integer":
      return Math.max(1, real.minimum ?? 1);
    case "number":
      return Math.max(0.5, real.minimum ?? 0.5);
    case "boolean":
      return true;
    case "array":
      return Array.isArray(real.prefixItems) ? real.prefixItems.map((item) => example(item, components, depth + 1)) : real.items && real.items !== true ? [example(real.items, components, depth + 1)] : [];
    case "object": {
      const required = new Set(real.required ?? []);
      const entries = Object.entries(real.properties ?? {}).filter(([name]) => required.has(name));
      return Object.fromEntries(entries.map(([name, inner]) => [name, example(inner, components, depth + 1)]));
    }
    default:
      return depth === 0 ? {} : null;
  }
}

/** What is wrong with a value: lines for people. Empty when nothing is, or when the schema says nothing. */
export function problems(schema, components, value, path = "input", depth = 0) {
  if (depth > 12) return [];
  const { schema: real, optional } = resolve(schema, components);
  if (value === null && optional) return [];
  if (real.const !== undefined && JSON.stringify(real.const) !== JSON.stringify(value)) return [`${path}: expected ${JSON.stringify(real.const)}`];
  if (Array.isArray(real.enum) && !real.enum.some((one) => JSON.stringify(one) === JSON.stringify(value))) return [`${path}: expected one of ${real.enum.map((one) => JSON.stringify(one)).join(", ")}`];
  const choices = real.anyOf ?? real.oneOf;
  if (Array.isArray(choices)) {
    const each = choices.map((choice) => problems(choice, components, value, path, depth + 1));
    return each.some((list) => list.length === 0) ? [] : each.reduce((best, list) => (list.length < best.length ? list : best));
  }
  if (Array.isArray(real.allOf)) return real.allOf.flatMap((one) => problems(one, components, value, path, depth + 1));
  const type = value === null ? "null" : Array.isArray(value) ? "array" : typeof value;
  const whole = type === "number" && Number.isInteger(value);
  if (real.type && real.type !== type && !(real.type === "integer" && whole)) return [`${path}: expected ${real.type}, got ${type}`];
  if (type === "number" && real.minimum !== undefined && value < real.minimum) return [`${path}: at least ${real.minimum}`];
  if (type === "number" && real.maximum !== undefined && value > real.maximum) return [`${path}: at most ${real.maximum}`];
  if (type === "array" && real.items && real.items !== true) return value.flatMap((item, index) => problems(real.items, components, item, `${path}[${index}]`, depth + 1));
  if (type !== "object") return [];
  const found = (real.required ?? []).filter((name) => !(name in value)).map((name) => `${path}.${name}: missing`);
  for (const [name, inner] of Object.entries(value)) {
    const known = real.properties && Object.hasOwn(real.properties, name) ? real.properties[name] : null;
    if (known) found.push(...problems(known, components, inner, `${path}.${name}`, depth + 1));
    else if (real.additionalProperties === false && !name.startsWith("__")) found.push(`${path}.${name}: not a parameter`);
  }
  return found;
}

/** The JSON of the schema's type in one word, for a label. */
export function kind(schema, components) {
  const { schema: real } = resolve(schema, components);
  if (real.enum) return "choice";
  if (real.type === "array") return "list";
  if (real.type === "string" && real.contentEncoding === "base64") return "bytes, base64";
  return { string: "text", integer: "whole number", number: "number", boolean: "yes or no", object: "object" }[real.type] ?? "JSON";
}

const described = new Map();

/** The OpenAPI document of an endpoint's functions; `null` when there is none. It is asked for once per release. */
export function describe(endpoint, load, done) {
  const id = `${endpoint.id} ${endpoint.release} ${endpoint.described}`;
  if (!described.has(id)) {
    described.set(id, undefined);
    load()
      .catch(() => null)
      .then((document) => {
        described.set(id, document);
        done();
      });
  }
  return described.get(id);
}
