// What the installed client declares about its answers, as JSON Schema. The schemas are generated at run time from its
// declaration files, so no types are listed by hand; deviations.mjs lists the known differences.
import assert from 'node:assert/strict';
import { createRequire } from 'node:module';

import Ajv from 'ajv';
import addFormats from 'ajv-formats';
import * as generator from 'ts-json-schema-generator';
import ts from 'typescript';

import { DEVIATIONS } from './deviations.mjs';

const ENTRY = createRequire(import.meta.url).resolve('@selfcommunity/api-services').replace(/js$/, 'd.ts');

/** Known deviations that no answer has shown yet, such as 'SCUserType.bio is absent'. */
export const stale = new Set();

/** Creates a check of values against a type or an answer, such as 'SCUserType' or 'CourseApiClient.deleteCourse'. */
export function declarationCheck(classes) {
  const definitions = declaredAnswers(classes);
  for (const deviation of DEVIATIONS) tolerate(definitions, deviation);

  const ajv = new Ajv({ allErrors: true, strict: false, verbose: true });
  addFormats(ajv);
  ajv.addKeyword({ keyword: 'known', validate: (label) => stale.delete(label) || true });
  ajv.addSchema({ $id: 'client', definitions });

  return (name, value) => {
    const validate = ajv.getSchema(`client#/definitions/${name}`);
    assert.ok(validate, `the client declares no ${name}`);
    if (validate(value)) return;
    assert.fail(`${name} is not what the client declares:\n${report(validate.errors, definitions)}`);
  };
}

/** The schemas of the answers of all static methods, by 'Class.method', and of all types in them, by name. */
function declaredAnswers(classes) {
  const config = { ...generator.DEFAULT_CONFIG, path: ENTRY, skipTypeCheck: true, jsDoc: 'none' };
  const program = generator.createProgram(config);
  const parser = generator.createParser(program, config);
  const formatter = generator.createFormatter(config);
  const isNamed = (type) => type instanceof generator.DefinitionType && !type.getName().startsWith('def-');

  const definitions = {};
  for (const [method, node] of declaredTypes(program, classes)) {
    const type = parser.createType(node, new generator.Context());
    definitions[method] = formatter.getDefinition(isNamed(type) ? type : type.getType());
    for (const part of formatter.getChildren(type).filter(isNamed)) {
      definitions[part.getName()] ??= formatter.getDefinition(part.getType());
    }
  }
  return definitions;
}

/** Yields every static method of the classes with the T of the Promise<T> that it is declared to return. */
function* declaredTypes(program, classes) {
  const checker = program.getTypeChecker();
  const entry = checker.getSymbolAtLocation(program.getSourceFile(ENTRY));
  for (const symbol of checker.getExportsOfModule(entry).filter(({ name }) => classes.includes(name))) {
    const declared = symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol;
    for (const [method, { valueDeclaration }] of declared.exports) {
      const [type] = valueDeclaration?.type?.typeArguments ?? [];
      if (type) yield [`${symbol.name}.${method}`, type];
    }
  }
}

/** Rewrites the definitions so that they accept a known deviation, and remove it from `stale` when it occurs. */
function tolerate(definitions, { type, fields, are }) {
  const names = Object.keys(definitions).filter((name) => name.replace(/<.*/, '') === type);
  assert.ok(names.length, `deviations.mjs: the client has no ${type}`);
  for (const name of names) {
    if (fields) fields.forEach((field) => admit(definitions[name], field, are, noted(`${type}.${field} is ${are}`)));
    else definitions[name] = instead(definitions[name], are, noted(`${type} is ${are}`));
  }
}

function noted(known) {
  stale.add(known);
  return known;
}

function instead(declared, are, known) {
  return { if: declared, else: { $ref: `#/definitions/${encodeURIComponent(are)}`, known } };
}

function admit(definition, field, are, known) {
  const { required = [], properties, allOf = [] } = definition;
  const fits = are === 'absent' ? required.includes(field) : field in properties === (are !== 'undeclared');
  assert.ok(fits, `deviations.mjs: '${known}' does not fit the client's declarations any more`);
  if (are === 'absent') {
    definition.required = required.filter((name) => name !== field);
    definition.allOf = [...allOf, { if: { required: [field] }, else: { known } }];
  } else if (are === 'undeclared') {
    properties[field] = { known };
  } else {
    properties[field] = { if: { type: are }, then: { known }, else: properties[field] };
  }
}

/** One line for each kind of error: the place, what was expected and found, and which type declares it. */
function report(errors, definitions) {
  const owners = new Map();
  for (const [name, definition] of Object.entries(definitions)) {
    JSON.stringify(definition, (_, part) => owners.set(part, name) && part);
  }
  const lines = errors.map(({ instancePath, keyword, message, params, data, parentSchema }) => {
    const field = params.missingProperty ?? params.additionalProperty;
    const where = instancePath.replace(/\/\d+(?=\/|$)/g, '/*') + (field ? `/${field}` : '');
    const expected = { required: 'must be there', additionalProperties: 'is not declared' }[keyword] ?? message;
    const found = JSON.stringify(field ? data[field] : data)?.slice(0, 80) ?? 'nothing';
    return `  ${where || '/'} ${expected}, got ${found} (${owners.get(parentSchema)})`;
  });
  return [...new Set(lines)].join('\n');
}
