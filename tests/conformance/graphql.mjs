// Judges GraphQL calls by GitHub's own schema. Reads a JSON list of calls from standard input,
//   [{ "query": "…", "operationName": "…", "variables": {…}, "answer": {…} }]
// where all but the query may be missing, and prints a JSON list with the list of each call's faults.

import { readFileSync } from "node:fs";
import {
  buildSchema, getNamedType, getVariableValues, isAbstractType, isEnumType, isLeafType, isListType, isNonNullType,
  isObjectType, parse, specifiedRules, typeFromAST, validate,
} from "graphql";

const schema = buildSchema(
  readFileSync(new URL("node_modules/@octokit/graphql-schema/schema.graphql", import.meta.url), "utf8"),
  { assumeValid: true },
);

// GitHub's own scalars whose form is known; of the others only null is refused.
const isTime = (value) => typeof value === "string" && /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/.test(value);
const SCALARS = {
  Boolean: (value) => typeof value === "boolean",
  DateTime: isTime,
  ID: (value) => typeof value === "string" && value !== "",
  Int: (value) => Number.isInteger(value) && Math.abs(value) < 2 ** 31,
  String: (value) => typeof value === "string",
  URI: (value) => typeof value === "string" && URL.canParse(value),
};

function judge({ query, operationName, variables = {}, answer }) {
  let document;
  try {
    document = parse(query);
  } catch (error) {
    return [error.message];
  }
  const faults = validate(schema, document, specifiedRules).map((error) => error.message);
  if (faults.length > 0) return faults;
  const operations = document.definitions.filter((one) => one.kind === "OperationDefinition");
  const operation = operations.find((one) => operationName === undefined || one.name?.value === operationName);
  if (operation === undefined) return [`no operation is named ${operationName}`];
  if (answer === undefined) return [];

  const declared = operation.variableDefinitions ?? [];
  const coerced = getVariableValues(schema, declared, variables);
  if (coerced.errors) return coerced.errors.map((error) => error.message);
  const names = declared.map((one) => one.variable.name.value);
  for (const name of Object.keys(variables)) {
    if (!names.includes(name)) faults.push(`the variable $${name} is not declared`);
  }

  const fragments = new Map(
    document.definitions.filter((one) => one.kind === "FragmentDefinition").map((one) => [one.name.value, one]),
  );
  const included = (node) =>
    (node.directives ?? []).every((directive) => {
      const of = directive.arguments[0].value;
      const value = of.kind === "Variable" ? coerced.coerced[of.name.value] : of.value;
      return directive.name.value === "skip" ? !value : value;
    });

  // The fields that an object may show: by key, the field's type, and whether it must be there. Which of several types
  // an object has is not told unless `__typename` was asked for: the fields of one type are optional then.
  function fields(parent, selections, typename, required, into) {
    for (const node of selections.filter(included)) {
      if (node.kind === "Field") {
        const key = node.alias?.value ?? node.name.value;
        const type = node.name.value === "__typename" ? null : parent.getFields()[node.name.value].type;
        const known = into.get(key);
        const below = [...(known?.selections ?? []), ...(node.selectionSet?.selections ?? [])];
        into.set(key, { type, selections: below, required: required || known?.required });
        continue;
      }
      const fragment = node.kind === "FragmentSpread" ? fragments.get(node.name.value) : node;
      const type = fragment.typeCondition ? typeFromAST(schema, fragment.typeCondition) : parent;
      const told = isObjectType(parent) ? parent.name : typename;
      const fits = (name) => type.name === name || (isAbstractType(type) && schema.isSubType(type, schema.getType(name)));
      if (told !== undefined && !fits(told)) continue;
      fields(type, fragment.selectionSet.selections, typename, required && told !== undefined, into);
    }
    return into;
  }

  function check(type, selections, value, at) {
    if (isNonNullType(type)) {
      if (value === null) faults.push(`${at}: null, which it never is`);
      else check(type.ofType, selections, value, at);
    } else if (value === null) {
      return;
    } else if (isListType(type)) {
      if (!Array.isArray(value)) faults.push(`${at}: no list`);
      else value.forEach((item, index) => check(type.ofType, selections, item, `${at}/${index}`));
    } else if (isEnumType(type)) {
      if (type.getValue(value) === undefined) faults.push(`${at}: ${JSON.stringify(value)} is no ${type.name}`);
    } else if (isLeafType(type)) {
      const fits = SCALARS[type.name] ?? (() => true);
      if (!fits(value)) faults.push(`${at}: ${JSON.stringify(value)} is no ${type.name}`);
    } else if (typeof value !== "object" || Array.isArray(value)) {
      faults.push(`${at}: no ${getNamedType(type).name}`);
    } else {
      object(type, selections, value, at);
    }
  }

  function object(type, selections, value, at) {
    const told = value.__typename;
    const possible = isAbstractType(type) ? schema.getPossibleTypes(type) : [type];
    if (told !== undefined && !possible.some((one) => one.name === told)) {
      faults.push(`${at}/__typename: ${JSON.stringify(told)} is no ${type.name}`);
      return;
    }
    const asked = fields(type, selections, told, true, new Map());
    for (const key of Object.keys(value)) {
      if (!asked.has(key)) faults.push(`${at}/${key}: nobody asked for it`);
    }
    for (const [key, { type: of, selections: below, required }] of asked) {
      if (!Object.hasOwn(value, key)) {
        if (required) faults.push(`${at}/${key}: it was asked for and is missing`);
      } else if (of !== null) {
        check(of, below, value[key], `${at}/${key}`);
      }
    }
  }

  for (const key of Object.keys(answer)) {
    if (!["data", "errors", "extensions"].includes(key)) faults.push(`/${key}: no part of an answer`);
  }
  for (const [index, error] of (answer.errors ?? []).entries()) {
    if (typeof error.message !== "string") faults.push(`/errors/${index}: no message`);
  }
  if (answer.data) object(schema.getQueryType(), operation.selectionSet.selections, answer.data, "/data");
  else if (!answer.errors?.length) faults.push("/data: neither data nor errors");
  return faults;
}

console.log(JSON.stringify(JSON.parse(readFileSync(0, "utf8")).map(judge)));
