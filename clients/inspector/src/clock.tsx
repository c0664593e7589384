// The clock of the world: what time it is, other times, and what the next ones bring.
import {useState} from 'preact/hooks';
import {control} from './api';
import {VirtualList, usePaged} from './list';
import {Field, attempt, away, number, readable} from './parts';
import type {Live} from './live';
import type {Clock, Moment} from './types';

const KINDS = {section_opens: 'Section opens', token_expires: 'Token expires', upload_expires: 'Upload expires'};

const change = (path: string, body: unknown, done: string) =>
  void attempt(done, () => control<Clock>('POST', `/clock/${path}`, body));

export function ClockView({live, now}: {live: Live; now: Date | undefined}) {
  const [at, setAt] = useState('');
  const clock = live.world?.clock;
  const paged = usePaged<Moment>('/clock/next', live.version);
  const from = now?.getTime() ?? Date.now();

  function set(event: Event) {
    event.preventDefault();
    change('set', {at: new Date(`${at}Z`).toISOString()}, 'The clock is set.');
  }

  const advance = (unit: string) => () => change('advance', {[unit]: 1}, `One ${unit.slice(0, -1)} later.`);
  return (
    <section class="clock" aria-label="Clock">
      <h2>
        {now === undefined ? (
          'The clock starts with the world'
        ) : (
          <time dateTime={now.toISOString()}>{readable(now)} UTC</time>
        )}{' '}
        {clock !== undefined && (
          <span class={`mark ${clock.frozen ? 'changed' : 'calm'}`}>{clock.frozen ? 'frozen' : 'running'}</span>
        )}
      </h2>
      <p class="muted">
        {clock === undefined || clock.frozen
          ? 'A frozen clock shows the same time until it is set or released.'
          : clock.ahead_seconds === 0
            ? 'It shows real time.'
            : `It is ${away(clock.ahead_seconds * 1000, 0).replace(/^in /, '')} off real time.`}
      </p>
      <div class="actions">
        <button type="button" onClick={() => change('freeze', {}, 'The clock is frozen.')}>
          Freeze
        </button>
        <button type="button" onClick={() => change('release', undefined, 'The clock shows real time.')}>
          Return to real time
        </button>
        <button type="button" onClick={advance('hours')}>
          + 1 hour
        </button>
        <button type="button" onClick={advance('days')}>
          + 1 day
        </button>
        <button type="button" onClick={advance('weeks')}>
          + 1 week
        </button>
      </div>
      <form class="filters" onSubmit={set}>
        <Field label="Set to (UTC)" type="datetime-local" step="1" value={at} onInput={setAt} required />
        <button>Set</button>
      </form>
      <h3>
        What comes next <small>{paged.count === undefined ? '' : number(paged.count, 'moment')}</small>
      </h3>
      {paged.page?.partial && (
        <p class="muted">This world has so many members of courses that only some of them were looked at.</p>
      )}
      <VirtualList
        paged={paged}
        height={56}
        label="Moments on which answers depend, the nearest first"
        empty={<p>No answer depends on a later time.</p>}
        row={(moment) => (
          <div class="line moment">
            <span class="what">
              <b>{KINDS[moment.kind]}</b> <a href={`#state/${moment.table}/${encodeURIComponent(moment.key)}`}>{moment.what}</a>
            </span>
            <span class="who muted">
              {away(Date.parse(moment.at), from)}, {readable(moment.at)}
              {moment.user !== null && `, for user ${moment.user}`}
            </span>
            <button type="button" onClick={() => change('set', {at: moment.at}, 'The clock is set to that moment.')}>
              Go there
            </button>
          </div>
        )}
      />
    </section>
  );
}
