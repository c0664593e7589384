// The journal: every request as it comes in, and the whole story of one of them.
import {useState} from 'preact/hooks';
import {all, control, operations} from './api';
import {VirtualList, usePaged} from './list';
import {Choice, Copy, Fields, Json, Status, attempt, number, readable, usePromise} from './parts';
import {asCurl, asPlaywright, asPytest, obstacle, sendAgain} from './sending';
import type {Entry, Explanation, Line, Persona, Rule} from './types';

const STATUSES = [200, 201, 204, 302, 400, 401, 403, 404, 405, 406, 409, 413, 415, 429, 500, 502, 503, 504];

interface Props {
  version: number;
  opened: string | undefined;
}

export function Requests({version, opened}: Props) {
  const [wanted, setWanted] = useState({operation: '', persona: '', status: ''});
  const known = usePromise(operations, []);
  const personas = usePromise(() => all<Persona>('/personas'), []);
  const query = new URLSearchParams(Object.entries(wanted).filter(([, value]) => value !== ''));
  const paged = usePaged<Line>(`/journal${query.size ? `?${query}` : ''}`, version);
  const tokens = (personas.value ?? []).map(({token}) => token);
  const set = (name: keyof typeof wanted) => (value: string) => setWanted({...wanted, [name]: value});

  return (
    <section class={opened === undefined ? 'split' : 'split opened'} aria-label="Requests">
      <div class="master">
        <form class="filters" onSubmit={(event) => event.preventDefault()}>
          <Choice
            label="Operation"
            value={wanted.operation}
            onChange={set('operation')}
            options={[['', 'All'], ...(known.value ?? []).map(({id}) => id)]}
          />
          <Choice
            label="Persona"
            value={wanted.persona}
            onChange={set('persona')}
            options={[['', 'All'], ...tokens, 'anonymous']}
          />
          <Choice
            label="Status"
            value={wanted.status}
            onChange={set('status')}
            options={[['', 'All'], ...STATUSES.map(String)]}
          />
          <button type="button" onClick={() => void clear()} disabled={!paged.count}>
            Clear
          </button>
        </form>
        <p class="muted count">
          {paged.count === undefined ? 'Loading …' : number(paged.count, 'request')}
          {paged.page?.forgotten ? `, ${paged.page.forgotten.toLocaleString('en')} forgotten` : ''}
        </p>
        <VirtualList
          paged={paged}
          height={56}
          label="Requests, the newest first"
          empty={
            query.size ? (
              <p>No request is like that.</p>
            ) : (
              <p>
                Nothing has been asked yet. Let an app use the address of this world, or send a request from the{' '}
                <a href="#personas">personas</a>, and it appears here.
              </p>
            )
          }
          row={(line) => <Item line={line} isOpened={line.id === opened} />}
        />
      </div>
      <div class="detail">
        {opened === undefined ? (
          <p class="empty muted">Choose a request to see why it was answered as it was, and what it changed.</p>
        ) : (
          <Detail key={opened} id={opened} tokens={tokens} />
        )}
      </div>
    </section>
  );
}

async function clear() {
  if (confirm('Clear the journal of this world? Its rows stay as they are.')) {
    await attempt('The journal is cleared.', () => control('DELETE', '/requests'));
  }
}

function Item({line, isOpened}: {line: Line; isOpened: boolean}) {
  return (
    <a class="line" href={`#requests/${encodeURIComponent(line.id)}`} aria-current={isOpened ? 'true' : undefined}>
      <Status status={line.status} />
      <span class="what">
        <b>{line.method}</b> {line.path}
      </span>
      <span class="who muted">
        {line.operation ?? 'no operation'}, {line.persona}
        {line.faults > 0 && <mark>fault</mark>}
        {line.variants > 0 && <mark>varied</mark>}
        {line.changes > 0 && <mark class="calm">{number(line.changes, 'change')}</mark>}
        {line.problem !== null && <span> · {line.problem}</span>}
      </span>
    </a>
  );
}

function Detail({id, tokens}: {id: string; tokens: string[]}) {
  const path = `/requests/${encodeURIComponent(id)}`;
  const found = usePromise(
    () => Promise.all([control<Entry>('GET', path), control<Explanation>('GET', `${path}/explanation`)]),
    [id]
  );
  if (found.error) {
    return (
      <>
        <a class="back" href="#requests">
          All requests
        </a>
        <p class="problem" role="alert">
          {found.error}
        </p>
      </>
    );
  }
  return found.value === undefined ? <p class="muted">Loading …</p> : <Story {...split(found.value)} tokens={tokens} />;
}

const split = ([entry, why]: [Entry, Explanation]) => ({entry, why});

function Story({entry, why, tokens}: {entry: Entry; why: Explanation; tokens: string[]}) {
  const cannot = obstacle(entry, tokens);
  const {request, response} = entry;
  const query = Object.entries(request.query);
  const calling = why.rules.filter(({calls}) => calls);
  const others = why.rules.filter(({calls}) => !calls);

  async function again() {
    const next = await attempt('Sent again.', () => sendAgain(entry));
    if (next) {
      location.hash = `#requests/${encodeURIComponent(next)}`;
    }
  }

  return (
    <article>
      <a class="back" href="#requests">
        All requests
      </a>
      <h2>
        <Status status={entry.status} />{' '}
        <span>
          {request.method} {request.path}
        </span>
      </h2>
      <p class="muted">
        {entry.id} by {entry.persona}, {readable(entry.time)} UTC in its world; it took {entry.milliseconds} ms.
        {why.operation !== null && (
          <>
            {' '}
            {why.operation.id}: {why.operation.summary}.
          </>
        )}
      </p>
      {entry.problems.length > 0 && (
        <ul class="problems">
          {entry.problems.map((problem) => (
            <li key={problem.field + problem.code}>
              {problem.field !== null && <b>{problem.field}: </b>}
              {problem.message} <code>{problem.code}</code>
            </li>
          ))}
        </ul>
      )}
      {calling.length > 0 && (
        <>
          <h3>Why</h3>
          <Rules rules={calling} />
        </>
      )}
      <Noted entry={entry} />
      <Varied variants={entry.variants} />
      <div class="actions">
        <button type="button" onClick={() => void again()} disabled={cannot !== ''} title={cannot}>
          Send again
        </button>
        <Copy what="the request as curl" text={() => asCurl(entry)}>
          Copy as curl
        </Copy>
        <Copy what="the request as a pytest test" text={() => asPytest(entry)}>
          as pytest
        </Copy>
        <Copy what="the request as a Playwright test" text={() => asPlaywright(entry)}>
          as Playwright
        </Copy>
      </div>
      {cannot !== '' && <p class="muted">It cannot be sent again as it was. {cannot}</p>}

      <h3>What it changed</h3>
      {why.rows.length === 0 && <p class="muted">Nothing.</p>}
      {why.rows.map(({table, key, before, after}) => (
        <div class="change" key={`${table}/${key}`}>
          <h4>
            <a href={`#state/${table}/${encodeURIComponent(key)}`}>
              {table} {key}
            </a>{' '}
            <span class={`mark ${before === null ? 'added' : after === null ? 'deleted' : 'changed'}`}>
              {before === null ? 'added' : after === null ? 'deleted' : 'changed'}
            </span>
          </h4>
          <Fields before={before} after={after} old="Before" now="After" />
        </div>
      ))}

      <h3>Request</h3>
      {query.length > 0 && <Json value={Object.fromEntries(query)} />}
      {request.body !== null ? <Json value={request.body} /> : <p class="muted">Without a body.</p>}
      <Headers headers={request.headers} />
      <h3>Answer</h3>
      {response === null ? (
        <p class="muted">None was sent.</p>
      ) : (
        <>
          {response.body !== null ? <Json value={response.body} /> : <p class="muted">Without a body.</p>}
          <Headers headers={response.headers} />
        </>
      )}

      <h3>Rules of the operation</h3>
      {why.operation !== null && <p>Open to: {why.operation.access}</p>}
      {others.length > 0 && (
        <details>
          <summary>{number(others.length, calling.length > 0 ? 'other rule' : 'rule')}</summary>
          <Rules rules={others} />
        </details>
      )}
      {why.rules.length === 0 && <p class="muted">It reached no operation, so no rule applies.</p>}
    </article>
  );
}

/** What was special about a request. */
function Noted({entry}: {entry: Entry}) {
  const notes = [
    ...entry.faults.map(({id, kind}) => (id === null ? `It asked for ${kind} itself.` : `Fault ${id} (${kind}) fired.`)),
    ...entry.violations.map(({kind, name}) => `The contract does not know the ${kind} ${name}.`),
    ...entry.accepted.map(({field, what}) => `${field} was accepted, although it is ${what}.`),
    ...(entry.trace ? [`It belongs to the trace ${entry.trace.trace_id}.`] : []),
  ];
  return notes.length === 0 ? null : (
    <ul class="notes">
      {notes.map((note) => (
        <li key={note}>{note}</li>
      ))}
    </ul>
  );
}

/** How many places are shown at once. */
const PLACES = 12;

/** What the answer had because variants wanted it, and would not have had otherwise. */
function Varied({variants}: {variants: Entry['variants']}) {
  return variants.length === 0 ? null : (
    <>
      <h3>What was varied</h3>
      <ul class="notes">
        {variants.map(({id, kind, choice, places}) => (
          <li key={`${id} ${kind} ${choice}`}>
            {id === null ? 'It asked for' : <a href="#variants">Variant {id}</a>} <b>{choice === null ? kind : `${kind}=${choice}`}</b>{' '}
            at {places.slice(0, PLACES).map((place) => place || 'the whole answer').join(', ')}
            {places.length > PLACES && (
              <details>
                <summary>{number(places.length - PLACES, 'other place')}</summary>
                {places.slice(PLACES).join(', ')}
              </details>
            )}
          </li>
        ))}
      </ul>
    </>
  );
}

function Headers({headers}: {headers: Record<string, string>}) {
  return (
    <details>
      <summary>{number(Object.keys(headers).length, 'header')}</summary>
      <pre>{Object.entries(headers).map(([name, value]) => `${name}: ${value}\n`)}</pre>
    </details>
  );
}

function Rules({rules}: {rules: Rule[]}) {
  return (
    <ul class="rules">
      {rules.map(({code, rule, sure, source, note, status}) => (
        <li key={code}>
          <b>{code}</b> {rule} {note}
          <br />
          <span class="muted">
            {status !== null && `Answers ${status}. `}Sure: {sure}. Source: {source.join('; ')}
          </span>
        </li>
      ))}
    </ul>
  );
}
