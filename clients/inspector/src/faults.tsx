// What goes wrong in the world: faults that are active, and new ones.
import {useState} from 'preact/hooks';
import {all, control, operations} from './api';
import {Choice, Field, attempt, number, usePromise} from './parts';
import type {Fault} from './types';

/** Kind -> what it does, in the order of acting. */
const KINDS: Record<string, string> = {
  latency: 'The answer comes late.',
  reset: 'The connection is dropped before anything is done.',
  error: 'The request is refused with a status.',
  stale: 'A read is answered from the state that the world has now.',
  lost: 'The request is carried out, but its answer gets lost.',
  truncate: 'The connection is dropped in the middle of the answer.',
  drip: 'The answer comes slowly, in small pieces.',
};
const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'];
const NOTHING = {
  kind: 'error',
  operation: '',
  method: '',
  path: '',
  status: '503',
  seconds: '2',
  times: '',
  switch: '',
  probability: '',
};

export function Faults({version}: {version: number}) {
  const faults = usePromise(() => all<Fault>('/faults'), [version]);
  const known = usePromise(operations, []);
  const [wanted, setWanted] = useState(NOTHING);
  const set = (name: keyof typeof wanted) => (value: string) => setWanted({...wanted, [name]: value});

  function add(event: Event) {
    event.preventDefault();
    void create(bodyOf(wanted));
  }

  return (
    <section class="page" aria-label="Faults">
      <h2>Faults</h2>
      <p class="muted">What goes wrong here, on purpose. All that are due for a request act on it.</p>
      {faults.error !== '' && (
        <p class="problem" role="alert">
          {faults.error}
        </p>
      )}
      {faults.value?.length === 0 && <p class="empty">Nothing goes wrong in this world.</p>}
      <ul class="cards">
        {(faults.value ?? []).map((fault) => (
          <li key={fault.id}>
            <div>
              <b>
                {fault.kind}
                {fault.kind === 'error' && ` ${fault.status}`}
                {['latency', 'drip'].includes(fault.kind) && ` ${fault.seconds} s`}
              </b>{' '}
              {target(fault)}
              <p class="muted">
                Fired {number(fault.fired, 'time')}
                {fault.times !== undefined && ` of ${fault.times}`}
                {fault.probability !== undefined && fault.probability < 1 && `, each time with probability ${fault.probability}`}
                {fault.switch !== undefined && `, only with ?__fault=${fault.switch}`}
              </p>
            </div>
            <button
              type="button"
              aria-label={`Remove fault ${fault.id}`}
              onClick={() => void attempt('The fault is removed.', () => control('DELETE', `/faults/${fault.id}`))}
            >
              Remove
            </button>
          </li>
        ))}
      </ul>
      <div class="actions">
        <button type="button" onClick={() => void create(...SAVING)}>
          Break every save
        </button>
        <button type="button" onClick={() => void create({kind: 'latency', seconds: 3})}>
          Make everything slow
        </button>
        <button
          type="button"
          disabled={!faults.value?.length}
          onClick={() => void attempt('All faults are removed.', () => control('DELETE', '/faults'))}
        >
          Remove all
        </button>
      </div>

      <h3>Add a fault</h3>
      <form class="form" onSubmit={add}>
        <Choice label="Kind" value={wanted.kind} onChange={set('kind')} options={Object.keys(KINDS)} />
        <p class="muted wide">{KINDS[wanted.kind]}</p>
        {wanted.kind === 'error' && (
          <Field label="Status" type="number" min="400" value={wanted.status} onInput={set('status')} required />
        )}
        {['latency', 'drip'].includes(wanted.kind) && (
          <Field label="Seconds" type="number" min="0" step="any" value={wanted.seconds} onInput={set('seconds')} required />
        )}
        <Choice
          label="Operation"
          value={wanted.operation}
          onChange={set('operation')}
          options={[['', 'Any'], ...(known.value ?? []).map(({id}) => id)]}
        />
        <Choice label="Method" value={wanted.method} onChange={set('method')} options={[['', 'Any'], ...METHODS]} />
        <Field label="Path" placeholder="/course/*" value={wanted.path} onInput={set('path')} />
        <Field label="Times" type="number" min="1" placeholder="always" value={wanted.times} onInput={set('times')} />
        <Field
          label="Probability"
          type="number"
          min="0"
          step="any"
          placeholder="1"
          value={wanted.probability}
          onInput={set('probability')}
        />
        <Field label="Switch" placeholder="none" value={wanted.switch} onInput={set('switch')} />
        <button>Add</button>
      </form>
    </section>
  );
}

const SAVING = ['POST', 'PUT', 'PATCH', 'DELETE'].map((method) => ({kind: 'error', status: 503, method, path: '/course/*'}));

const create = (...bodies: Record<string, unknown>[]) =>
  attempt(bodies.length > 1 ? 'The faults are added.' : 'The fault is added.', async () => {
    for (const body of bodies) {
      await control<Fault>('POST', '/faults', body);
    }
  });

/** What is sent for a form: only what was filled in, and what the kind has. */
function bodyOf(wanted: typeof NOTHING): Record<string, unknown> {
  const {kind, operation, method, path, switch: name} = wanted;
  const body: Record<string, unknown> = {kind};
  Object.entries({operation, method, path, switch: name}).forEach(([field, value]) => value && (body[field] = value));
  if (kind === 'error') {
    body['status'] = Number(wanted.status);
  }
  if (kind === 'latency' || kind === 'drip') {
    body['seconds'] = Number(wanted.seconds);
  }
  for (const field of ['times', 'probability'] as const) {
    if (wanted[field] !== '') {
      body[field] = Number(wanted[field]);
    }
  }
  return body;
}

function target({operation, method, path}: Fault): string {
  const what = [method, operation, path].filter((part) => part !== undefined).join(' ');
  return what === '' ? 'for every request' : `for ${what}`;
}
