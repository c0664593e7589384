/** The parts of a world: its clock, its faults, its variants, its journal. */

import type {
  Advance,
  ClockFacts,
  Fault,
  FaultOptions,
  JournalEntry,
  JournalFilter,
  OfferedFilter,
  OfferedVariant,
  Variant,
  VariantOptions,
} from './contract.js';
import { StubError, shown } from './errors.js';

/** Calls the control plane for one world. */
export type Control = <Answer>(
  method: string,
  path: string,
  options?: { query?: object | undefined; body?: object | undefined },
) => Promise<Answer>;

const PAGE = 100;

interface Page<Row> {
  count: number;
  next: string | null;
  results: Row[];
}

/** The rows that a filter picks: with a limit, those of one page; otherwise those of all. */
async function allOf<Row, Filter extends { limit?: number; offset?: number }>(
  filter: Filter,
  ask: (query: Filter) => Promise<Page<Row>>,
): Promise<Row[]> {
  const found: Row[] = [];
  for (;;) {
    const page = await ask({ limit: PAGE, ...filter, offset: (filter.offset ?? 0) + found.length });
    found.push(...page.results);
    if (filter.limit !== undefined || page.next === null || page.results.length === 0) return found;
  }
}

/** The clock of a world. It follows real time until it is frozen, set or advanced. */
export class Clock {
  readonly #control: Control;

  constructor(control: Control) {
    this.#control = control;
  }

  /** The current time in the world. */
  async now(): Promise<Date> {
    return new Date((await this.#control<ClockFacts>('GET', '/clock')).now);
  }

  /** Stops the clock, at a time (a Date, or text in ISO 8601) or at the current one. */
  freeze(at?: Date | string): Promise<ClockFacts> {
    return this.#control('POST', '/clock/freeze', at === undefined ? {} : { body: { at: iso('freeze', at) } });
  }

  /** Sets the clock; it keeps running, or stays frozen there. */
  set(at: Date | string): Promise<ClockFacts> {
    return this.#control('POST', '/clock/set', { body: { at: iso('set', at) } });
  }

  /** Moves the clock forward by weeks, days, hours, minutes and seconds. */
  advance(by: Advance): Promise<ClockFacts> {
    return this.#control('POST', '/clock/advance', { body: by });
  }

  /** Follows real time again. */
  release(): Promise<ClockFacts> {
    return this.#control('POST', '/clock/release');
  }
}

/** The faults of a world. */
export class Faults {
  readonly #control: Control;

  constructor(control: Control) {
    this.#control = control;
  }

  /** Adds a fault. With `switch: 'NAME'`, only requests with `?__fault=NAME` or the cookie `stub-fault=NAME` meet it. */
  add(fault: FaultOptions): Promise<Fault> {
    return this.#control('POST', '/faults', { body: fault });
  }

  /** All faults, each with the number of times it has fired. */
  async list(): Promise<Fault[]> {
    return (await this.#control<{ results: Fault[] }>('GET', '/faults', { query: { limit: PAGE } })).results;
  }

  /** Removes a fault, by its id. */
  remove(id: number): Promise<void> {
    return this.#control('DELETE', `/faults/${id}`);
  }

  /** Removes all faults. */
  clear(): Promise<void> {
    return this.#control('DELETE', '/faults');
  }
}

/** The variants of a world: what is different in its answers, though the contract allows it as well. */
export class Variants {
  readonly #control: Control;

  constructor(control: Control) {
    this.#control = control;
  }

  /** Adds a variant, such as `{ kind: 'null', operation: 'get_course', place: '/created_by/avatar' }`; without a place, everywhere. */
  add(variant: VariantOptions): Promise<Variant> {
    return this.#control('POST', '/variants', { body: variant });
  }

  /** All variants, each with the number of answers in which it made a difference. */
  async list(): Promise<Variant[]> {
    return (await this.#control<{ results: Variant[] }>('GET', '/variants', { query: { limit: PAGE } })).results;
  }

  /**
   * What the contract offers, of all operations and kinds or of those given. With a `limit`, at most so many (and at most
   * 100), from an `offset` on.
   */
  offered(filter: OfferedFilter = {}): Promise<OfferedVariant[]> {
    return allOf(filter, (query) => this.#control('GET', '/variants/offered', { query }));
  }

  /** Removes a variant, by its id. */
  remove(id: number): Promise<void> {
    return this.#control('DELETE', `/variants/${id}`);
  }

  /** Removes all variants. */
  clear(): Promise<void> {
    return this.#control('DELETE', '/variants');
  }
}

/** The journal of a world: the requests that it has received. */
export class Journal {
  readonly #control: Control;

  constructor(control: Control) {
    this.#control = control;
  }

  /**
   * The requests, the newest first. With a `limit`, at most so many (and at most 100), from an `offset` on; otherwise
   * all that the journal has.
   */
  requests(filter: JournalFilter = {}): Promise<JournalEntry[]> {
    return allOf(filter, (query) => this.#page(query));
  }

  /** The number of requests that match. */
  async count(filter: JournalFilter = {}): Promise<number> {
    return (await this.#page({ limit: 1, ...filter })).count;
  }

  /** Deletes all entries. */
  clear(): Promise<void> {
    return this.#control('DELETE', '/requests');
  }

  #page(query: JournalFilter): Promise<Page<JournalEntry>> {
    return this.#control('GET', '/requests', { query });
  }
}

function iso(where: string, at: Date | string): string {
  const date = at instanceof Date ? at : new Date(at);
  if (Number.isNaN(date.getTime())) {
    throw new StubError(`clock.${where}: ${shown(at)} is not a time, such as '2031-05-01T09:00:00Z'.`);
  }
  return at instanceof Date ? at.toISOString() : at;
}
