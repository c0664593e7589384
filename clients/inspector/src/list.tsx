// Long lists: only the rows in sight exist, and only the pages in sight are asked for.
import type {ComponentChildren} from 'preact';
import {useCallback, useEffect, useLayoutEffect, useRef, useState} from 'preact/hooks';
import {control} from './api';
import type {Page} from './types';

const SIZE = 100;
/** Rows that are drawn beyond those in sight. */
const MARGIN = 6;

export interface Paged<T> {
  /** How many rows there are; undefined as long as that is not known. */
  count: number | undefined;
  page: Page<T> | undefined;
  error: string;
  at(index: number): T | undefined;
  /** Says which rows are in sight. */
  show(from: number, to: number): void;
}

interface Held<T> {
  path: string;
  version: number;
  pages: Map<number, T[]>;
  stale: Set<number>;
  loading: Set<number>;
  from: number;
  to: number;
}

const fresh = <T,>(path: string, version: number): Held<T> => ({
  path,
  version,
  pages: new Map(),
  stale: new Set(),
  loading: new Set(),
  from: 0,
  to: 0,
});

/**
 * The rows of a list of the control plane. When `version` changes, what is in sight is asked for anew: but not in a
 * hidden tab, which is told a new version as soon as it is seen.
 */
export function usePaged<T>(path: string, version: number): Paged<T> {
  const held = useRef<Held<T>>(fresh(path, version));
  const [state, setState] = useState<{page?: Page<T> | undefined; error: string}>({error: ''});

  const load = useCallback((): void => {
    if (document.visibilityState === 'hidden') {
      return;
    }
    const now = held.current;
    for (let number = Math.floor(now.from / SIZE); number <= Math.floor(now.to / SIZE); number++) {
      if (now.loading.has(number) || (now.pages.has(number) && !now.stale.has(number))) {
        continue;
      }
      now.loading.add(number);
      now.stale.delete(number);
      const query = `${now.path.includes('?') ? '&' : '?'}limit=${SIZE}&offset=${number * SIZE}`;
      control<Page<T>>('GET', now.path + query)
        .then((page) => {
          now.pages.set(number, page.results);
          if (held.current === now) {
            setState({page, error: ''});
          }
        })
        .catch((error: Error) => held.current === now && setState(({page}) => ({page, error: error.message})))
        .finally(() => {
          now.loading.delete(number);
          if (held.current === now && now.stale.has(number)) {
            load(); // it has changed in the meantime
          }
        });
    }
  }, []);

  if (held.current.path !== path) {
    const {from, to} = held.current;
    held.current = {...fresh<T>(path, version), from: 0, to: to - from};
  }
  useEffect(() => {
    const now = held.current;
    if (now.version !== version) {
      now.version = version;
      [...now.pages.keys(), ...now.loading].forEach((number) => now.stale.add(number));
    }
    load();
  }, [path, version]);

  const show = useCallback((from: number, to: number) => {
    Object.assign(held.current, {from, to});
    load();
  }, []);
  return {
    count: state.page?.count,
    page: state.page,
    error: state.error,
    at: (index) => held.current.pages.get(Math.floor(index / SIZE))?.[index % SIZE],
    show,
  };
}

interface Props<T> {
  paged: Paged<T>;
  height: number;
  label: string;
  empty: ComponentChildren;
  /** Whether it is only as high as its rows, if they are few. */
  fits?: boolean;
  row(item: T, index: number): ComponentChildren;
}

/** A list whose rows all have the same height. Arrow keys lead from the link of a row to that of the next. */
export function VirtualList<T>({paged, height, label, empty, fits = false, row}: Props<T>) {
  const box = useRef<HTMLDivElement>(null);
  const [sight, setSight] = useState({top: 0, height: 600});
  const count = paged.count ?? 0;
  const from = Math.max(0, Math.floor(sight.top / height) - MARGIN);
  const to = Math.min(count, Math.ceil((sight.top + sight.height) / height) + MARGIN);

  useLayoutEffect(() => {
    const element = box.current;
    if (element === null) {
      return undefined;
    }
    const look = () => setSight({top: element.scrollTop, height: element.clientHeight});
    const observer = new ResizeObserver(look);
    observer.observe(element);
    element.addEventListener('scroll', look, {passive: true});
    return () => (observer.disconnect(), element.removeEventListener('scroll', look));
  }, []);
  useEffect(() => paged.show(from, Math.max(from, to - 1)), [from, to, paged.show]);

  function move(event: KeyboardEvent) {
    const step = {ArrowDown: 1, ArrowUp: -1}[event.key];
    const current = (event.target as HTMLElement).closest<HTMLElement>('[data-index]');
    if (step !== undefined && current !== null) {
      const next = box.current?.querySelector<HTMLElement>(`[data-index="${Number(current.dataset['index']) + step}"] a`);
      next?.focus();
      event.preventDefault();
    }
  }

  const rows = [];
  for (let index = from; index < to; index++) {
    const item = paged.at(index);
    rows.push(
      <div
        key={index}
        role="listitem"
        class="item"
        data-index={index}
        aria-setsize={count}
        aria-posinset={index + 1}
        style={{height: `${height}px`, transform: `translateY(${index * height}px)`}}
      >
        {item === undefined ? <span class="muted pending">…</span> : row(item, index)}
      </div>
    );
  }
  return (
    <div class="scroll" ref={box} onKeyDown={move} style={fits && count > 0 ? {height: `${count * height + 2}px`} : {}}>
      {paged.error !== '' && (
        <p class="problem" role="alert">
          {paged.error}
        </p>
      )}
      {paged.count === 0 && <div class="empty">{empty}</div>}
      {count > 0 && (
        <div class="rows" role="list" aria-label={label} style={{height: `${count * height}px`}}>
          {rows}
        </div>
      )}
    </div>
  );
}
