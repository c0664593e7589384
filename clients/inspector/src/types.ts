// What the control plane answers; openapi/control/ says what each field means.

export interface Page<T> {
  count: number;
  results: T[];
  forgotten?: number;
  partial?: boolean;
}

export interface Clock {
  now: string;
  frozen: boolean;
  ahead_seconds: number;
}

export interface World {
  name: string;
  fixture: string;
  base_path: string;
  clock: Clock;
  strict: boolean;
  requests: number;
  forgotten: number;
  changed_rows: number;
  faults: number;
  variants: number;
}

export interface Line {
  id: string;
  time: string;
  operation: string | null;
  persona: string;
  method: string;
  path: string;
  status: number | null;
  milliseconds: number;
  problem: string | null;
  changes: number;
  faults: number;
  variants: number;
  violations: number;
}

export interface Problem {
  code: string;
  message: string;
  field: string | null;
}

export interface Entry {
  id: string;
  time: string;
  operation: string | null;
  persona: string;
  status: number | null;
  milliseconds: number;
  trace: {trace_id: string} | null;
  request: {
    method: string;
    path: string;
    query: Record<string, string | string[]>;
    headers: Record<string, string>;
    body: unknown;
  };
  response: {headers: Record<string, string>; body: unknown} | null;
  violations: {kind: string; name: string}[];
  accepted: {field: string; what: string}[];
  problems: Problem[];
  faults: {id: number | null; kind: string}[];
  variants: {id: number | null; kind: string; choice: string | null; places: string[]}[];
}

export type Row = Record<string, unknown>;

export interface Rule {
  code: string;
  rule: string;
  sure: string;
  source: string[];
  note: string | null;
  status: number | null;
  calls: boolean;
}

export interface Explanation {
  id: string;
  operation: {id: string; summary: string; access: string} | null;
  rules: Rule[];
  rows: {table: string; key: string; before: Row | null; after: Row | null}[];
}

export interface Table {
  name: string;
  rows: number;
  added: number;
  changed: number;
  deleted: number;
}

export interface TableRow {
  key: string;
  difference: 'none' | 'added' | 'changed' | 'deleted';
  row: Row | null;
  fixture: Row | null;
}

export interface RowDetail extends TableRow {
  belongs: {table: string; field: string; count: number; keys: string[]}[];
}

export interface Moment {
  at: string;
  kind: 'section_opens' | 'token_expires' | 'upload_expires';
  table: string;
  key: string;
  user: number | null;
  what: string;
}

export interface Persona {
  token: string;
  user: number;
  username: string;
  role: string;
  about: string;
}

export interface Fault {
  id: number;
  kind: string;
  fired: number;
  operation?: string;
  method?: string;
  path?: string;
  switch?: string;
  times?: number;
  probability?: number;
  status?: number;
  seconds?: number;
}

export interface Variant {
  id: number;
  kind: string;
  sent: number;
  operation?: string;
  place?: string;
  choice?: string;
}

export interface OfferedVariant {
  operation: string;
  place: string;
  kind: string;
  choices: string[];
}

export interface Snapshot {
  name: string;
  fixture: string;
  changed_rows: number;
}

type Points = Record<string, number>;

export interface OperationCoverage {
  operation: string;
  method: string;
  path: string;
  requests: number;
  only_refused: boolean;
  [dimension: string]: unknown | Points;
}

export interface Coverage {
  covered: number;
  total: number;
  percent: number;
  contract: string;
  operations: OperationCoverage[];
}

export interface Operation {
  id: string;
  method: string;
  path: string;
  summary: string;
}
