// Small parts that several views share.
import {useCallback, useEffect, useId, useState} from 'preact/hooks';
import type {Row} from './types';

type Say = (text: string) => void;
let say: Say = () => undefined;

/** One line at the bottom of the page, which screen readers read out. */
export function Sayings() {
  const [text, setText] = useState('');
  useEffect(() => {
    say = setText;
  }, []);
  useEffect(() => {
    const timer = text ? setTimeout(() => setText(''), 4000) : undefined;
    return () => clearTimeout(timer);
  }, [text]);
  return (
    <p class={text ? 'saying' : 'saying nothing'} role="status">
      {text}
    </p>
  );
}

export const tell: Say = (text) => say(text);

/** Does something the user has asked for, and says what came of it. */
export async function attempt<T>(done: string, action: () => Promise<T>): Promise<T | undefined> {
  try {
    const result = await action();
    say(done);
    return result;
  } catch (error) {
    say(error instanceof TypeError ? 'The server cannot be reached.' : (error as Error).message);
    return undefined;
  }
}

/** What a promise has become, made anew whenever one of `on` changes. The old value stays until there is a new one. */
export function usePromise<T>(make: () => Promise<T>, on: unknown[]): {value: T | undefined; error: string} {
  const [state, setState] = useState<{value: T | undefined; error: string}>({value: undefined, error: ''});
  useEffect(() => {
    let isOld = false;
    make()
      .then((value) => !isOld && setState({value, error: ''}))
      .catch((error: Error) => !isOld && setState(({value}) => ({value, error: error.message})));
    return () => {
      isOld = true;
    };
  }, on);
  return state;
}

export async function copy(what: string, text: string): Promise<void> {
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    const area = document.createElement('textarea'); // without HTTPS, there is no clipboard beyond loopback
    area.value = text;
    document.body.append(area);
    area.select();
    document.execCommand('copy');
    area.remove();
  }
  say(`Copied ${what}.`);
}

/** A button that copies. Its name begins with what it shows, so that people can say it. */
export function Copy({what, text, children}: {what: string; text: string | (() => string); children?: string}) {
  const onClick = useCallback(() => copy(what, typeof text === 'string' ? text : text()), [what, text]);
  return (
    <button type="button" onClick={onClick} aria-label={children === undefined ? `Copy ${what}` : `${children}: copy ${what}`}>
      {children ?? 'Copy'}
    </button>
  );
}

export function Status({status}: {status: number | null}) {
  const kind = status === null ? 'bad' : status >= 500 ? 'bad' : status >= 400 ? 'refused' : 'good';
  return <span class={`status ${kind}`}>{status ?? 'none'}</span>;
}

/** A value as JSON, wrapped instead of scrolled. */
export function Json({value}: {value: unknown}) {
  const text = typeof value === 'string' ? value : JSON.stringify(value, null, 2);
  const [isWhole, setWhole] = useState(false);
  const shown = isWhole ? text : text.slice(0, 5000);
  return (
    <>
      <pre>{shown}</pre>
      {shown.length < text.length && (
        <button type="button" onClick={() => setWhole(true)}>
          Show all {text.length.toLocaleString('en')} characters
        </button>
      )}
    </>
  );
}

export const short = (value: unknown): string => (typeof value === 'string' ? value : JSON.stringify(value));

/** The fields of a row, beside what they were, those that differ first. */
export function Fields({before, after, old, now}: {before: Row | null; after: Row | null; old: string; now: string}) {
  const isPair = before !== null && after !== null;
  const names = [...new Set([...Object.keys(before ?? {}), ...Object.keys(after ?? {})])];
  const differs = (name: string) => isPair && JSON.stringify(before[name]) !== JSON.stringify(after[name]);
  const changed = names.filter(differs);
  const [isWhole, setWhole] = useState(false);
  const shown = changed.length && !isWhole ? changed : [...changed, ...names.filter((name) => !differs(name))];
  const cell = (row: Row | null, name: string) => (row !== null && name in row ? short(row[name]) : '');
  return (
    <>
      <table class="fields">
        <thead>
          <tr>
            <th scope="col">Field</th>
            {before !== null && <th scope="col">{old}</th>}
            {after !== null && <th scope="col">{now}</th>}
          </tr>
        </thead>
        <tbody>
          {shown.map((name) => (
            <tr key={name} class={differs(name) ? 'differs' : ''}>
              <th scope="row">{name}</th>
              {before !== null && <td>{differs(name) ? <del>{cell(before, name)}</del> : cell(before, name)}</td>}
              {after !== null && <td>{differs(name) ? <ins>{cell(after, name)}</ins> : cell(after, name)}</td>}
            </tr>
          ))}
        </tbody>
      </table>
      {changed.length > 0 && changed.length < names.length && (
        <button type="button" class="quiet" onClick={() => setWhole(!isWhole)} aria-expanded={isWhole}>
          {isWhole ? 'Only what differs' : `All ${names.length} fields`}
        </button>
      )}
    </>
  );
}

/** A bar of `part` percent. */
export function Bar({part}: {part: number}) {
  return (
    <svg class="bar" viewBox="0 0 100 1" preserveAspectRatio="none" aria-hidden="true">
      <rect class="all" width="100" height="1" />
      <rect width={part.toFixed(1)} height="1" />
    </svg>
  );
}

export function Choice(props: {
  label: string;
  value: string;
  onChange(value: string): void;
  options: (string | [value: string, text: string])[];
}) {
  const id = useId();
  return (
    <span class="field">
      <label for={id}>{props.label}</label>
      <select id={id} value={props.value} onChange={(event) => props.onChange(event.currentTarget.value)}>
        {props.options.map((option) => {
          const [value, text] = typeof option === 'string' ? [option, option] : option;
          return (
            <option key={value} value={value}>
              {text}
            </option>
          );
        })}
      </select>
    </span>
  );
}

export function Field(props: {
  label: string;
  value: string;
  onInput(value: string): void;
  type?: 'text' | 'number' | 'password' | 'datetime-local';
  placeholder?: string;
  step?: string;
  min?: string;
  pattern?: string;
  required?: boolean;
}) {
  const {label, value, onInput, ...given} = props;
  const others = given as {type?: 'text'}; // Preact's types know what each kind of input may have, but not of which kind it is
  const id = useId();
  return (
    <span class="field">
      <label for={id}>{label}</label>
      <input {...others} id={id} value={value} autocomplete="off" onInput={(event) => onInput(event.currentTarget.value)} />
    </span>
  );
}

/** How far a moment is away, in words. */
export function away(to: number, from: number): string {
  const seconds = Math.round((to - from) / 1000);
  const units: [string, number][] = [['week', 604_800], ['day', 86_400], ['hour', 3600], ['minute', 60], ['second', 1]];
  const [unit, size] = units.find(([, size]) => Math.abs(seconds) >= size) ?? ['second', 1];
  const count = Math.round(Math.abs(seconds) / size);
  const text = `${count} ${unit}${count === 1 ? '' : 's'}`;
  return seconds < 0 ? `${text} ago` : `in ${text}`;
}

/** A moment in UTC, as people read it. */
export const readable = (moment: Date | string): string =>
  new Date(moment).toLocaleString('en-GB', {dateStyle: 'medium', timeStyle: 'medium', timeZone: 'UTC'});

export const number = (count: number, noun: string): string =>
  `${count.toLocaleString('en')} ${noun}${count === 1 ? '' : 's'}`;

const NARROW = matchMedia('(max-width: 48rem)');

/** Whether the window is so narrow that buttons of a row need two lines. */
export function useNarrow(): boolean {
  const [isNarrow, setNarrow] = useState(NARROW.matches);
  useEffect(() => {
    const look = () => setNarrow(NARROW.matches);
    NARROW.addEventListener('change', look);
    return () => NARROW.removeEventListener('change', look);
  }, []);
  return isNarrow;
}
