// Answers that the contract allows as well: those that the world sends now, and what else it could send.
import {useState} from 'preact/hooks';
import {all, control, operations} from './api';
import {Choice, Copy, attempt, number, usePromise} from './parts';
import type {OfferedVariant, Page, Variant} from './types';

/** Kind -> what it does to an answer, in the order of the contract. */
const KINDS: Record<string, string> = {
  null: 'What may be null is null.',
  absent: 'Fields that are not required are left out.',
  unknown: 'Objects have one more field, which no client knows.',
  enum: 'Enumerations have another of their values.',
  empty: 'Lists have no item.',
  one: 'Lists have one item.',
  'last-page': 'A page is the last one.',
  'count-only': 'A page is behind the last one: it has a count, but no rows.',
  long: 'Texts have 1,000 letters without a blank, or as many as the contract allows.',
  unicode: 'Texts have right-to-left letters, an emoji, a combining accent and U+2028.',
  markup: 'Texts have <b>&amp;</b> in them.',
  zero: 'Numbers are 0.',
  big: 'Numbers are as large as the contract allows, up to 2^53-1.',
  'big-id': 'Ids are 2^53-1, which names nothing.',
  time: 'Times have whole seconds, or another zone, or are in 1900 or 2999.',
  order: 'Fields of objects are turned round, and rows of lists whose order nothing promises.',
};
const ANYWHERE = 'anywhere'; // no place is called that: the place of the whole answer is empty, others begin with a slash
const IN_TURN = 'in turn'; // nor is a choice called that; one may be empty

export function Variants({version}: {version: number}) {
  const variants = usePromise(() => all<Variant>('/variants'), [version]);
  return (
    <section class="page" aria-label="Variants">
      <h2>Variants</h2>
      <p class="muted">
        What is different in the answers of this world, though the contract allows it as well: an app that fails because of
        it is at fault. No row changes. <code>stubserver variants -- COMMAND</code> finds out what an app does not survive.
      </p>
      {variants.error !== '' && (
        <p class="problem" role="alert">
          {variants.error}
        </p>
      )}
      {variants.value?.length === 0 && <p class="empty">All answers are as the rows of this world say.</p>}
      <ul class="cards">
        {(variants.value ?? []).map((variant) => (
          <li key={variant.id}>
            <div>
              <b>{named(variant)}</b> {target(variant)}
              <p class="muted">Sent {number(variant.sent, 'time')}</p>
            </div>
            <button
              type="button"
              aria-label={`Remove variant ${variant.id}`}
              onClick={() => void attempt('The variant is removed.', () => control('DELETE', `/variants/${variant.id}`))}
            >
              Remove
            </button>
          </li>
        ))}
      </ul>
      <div class="actions">
        <button type="button" onClick={() => void create({kind: 'empty'})}>
          Empty every list
        </button>
        <button type="button" onClick={() => void create({kind: 'long'})}>
          Make every text long
        </button>
        <button type="button" onClick={() => void create({kind: 'null'})}>
          Null wherever it may be
        </button>
        <button
          type="button"
          disabled={!variants.value?.length}
          onClick={() => void attempt('All variants are removed.', () => control('DELETE', '/variants'))}
        >
          Remove all
        </button>
      </div>
      <Adding />
    </section>
  );
}

/** The form for a new variant, which has for a choice what the contract offers. */
function Adding() {
  const known = usePromise(operations, []);
  const [wanted, setWanted] = useState({kind: 'null', operation: '', place: ANYWHERE, choice: IN_TURN});
  const set = (name: keyof typeof wanted) => (value: string) => setWanted({...wanted, [name]: value});
  const {kind, operation} = wanted;
  const offered = usePromise(() => offers(kind, operation), [kind, operation]);
  const rows = offered.value ?? [];
  const places = [...new Set(rows.map((row) => row.place))].sort();
  const place = places.includes(wanted.place) ? wanted.place : ANYWHERE;
  const picked = rows.filter((row) => place === ANYWHERE || row.place === place);
  const choices = [...new Set(picked.flatMap((row) => row.choices))].sort();
  const choice = choices.includes(wanted.choice) ? wanted.choice : IN_TURN;
  const body = {
    kind,
    ...(operation !== '' && {operation}),
    ...(place !== ANYWHERE && {place}),
    ...(choice !== IN_TURN && {choice}),
  };

  return (
    <>
      <h3>Add a variant</h3>
      <form
        class="form"
        onSubmit={(event) => {
          event.preventDefault();
          void create(body);
        }}
      >
        <Choice label="Kind" value={kind} onChange={set('kind')} options={Object.keys(KINDS)} />
        <p class="muted wide">
          {KINDS[kind]} {offered.error || (offered.value && extent(rows, operation))}
        </p>
        <Choice
          label="Operation"
          value={operation}
          onChange={set('operation')}
          options={[['', 'Any'], ...(known.value ?? []).map(({id}) => id)]}
        />
        <div class="long">
          <Choice
            label="Place"
            value={place}
            onChange={set('place')}
            options={[[ANYWHERE, 'Everywhere'], ...texts(places, 'The whole answer')]}
          />
        </div>
        {choices.length > 0 && (
          <Choice
            label="Choice"
            value={choice}
            onChange={set('choice')}
            options={[[IN_TURN, 'One after the other'], ...texts(choices, 'The empty text')]}
          />
        )}
        <button disabled={rows.length === 0}>Add</button>
        {body.place !== undefined && (
          <Copy what="the header with which one request asks for it" text={header(body)}>
            Copy as header
          </Copy>
        )}
      </form>
    </>
  );
}

const create = (body: {kind: string}) =>
  attempt('The variant is added.', () => control<Variant>('POST', '/variants', body));

/** What the contract offers, page after page. */
async function offers(kind: string, operation: string): Promise<OfferedVariant[]> {
  const query = new URLSearchParams({kind, limit: '100', ...(operation !== '' && {operation})});
  const found: OfferedVariant[] = [];
  for (;;) {
    query.set('offset', String(found.length));
    const {results, count} = await control<Page<OfferedVariant>>('GET', `/variants/offered?${query}`);
    found.push(...results);
    if (results.length === 0 || found.length >= count) {
      return found;
    }
  }
}

/** What can be chosen; the empty one gets a text of its own. */
const texts = (values: string[], empty: string) => values.map((value): [string, string] => [value, value || empty]);

/** How often the contract offers a kind. */
function extent(rows: OfferedVariant[], operation: string): string {
  const where = operation === '' ? number(new Set(rows.map((row) => row.operation)).size, 'operation') : operation;
  return rows.length === 0
    ? `No answer of ${where} can have that.`
    : `The contract allows it at ${number(rows.length, 'place')} of ${where}.`;
}

const named = ({kind, choice}: {kind: string; choice?: string}) => (choice === undefined ? kind : `${kind}=${choice}`);

function target({operation, place}: Variant): string {
  const where = place === undefined ? 'everywhere' : `at ${place || 'the whole answer'}`;
  return `${where} in answers of ${operation ?? 'every operation'}`;
}

const header = (body: {kind: string; place?: string; choice?: string}) =>
  `Prefer: variant="${named(body)}:${body.place ?? ''}"`;
