// What the world is now, told by the server as it changes. Nothing is asked for while nobody looks.
import {useEffect, useState} from 'preact/hooks';
import {Refused, controlHeaders, pathOf, refusalOf} from './api';
import type {World} from './types';

export interface Live {
  /** The world; null if there is none of this name, undefined as long as nobody has said. */
  world: World | null | undefined;
  /** Grows with everything that is told, so that whatever is shown can be loaded anew. */
  version: number;
  state: 'connecting' | 'live' | 'paused' | 'lost';
  problem: string;
  /** When `world` was told, by the clock of the page. */
  at: number;
}

/** Seconds after which the server ends a stream, and the page asks for the next one. */
const SECONDS = 600;
const PAUSES = [500, 1000, 2000, 5000, 10_000];

type Tell = (kind: string, data: unknown) => void;

/** Reads events until the server ends them. Throws Refused, and TypeError if the connection is lost. */
async function follow(signal: AbortSignal, tell: Tell): Promise<void> {
  const answer = await fetch(`${pathOf()}/__stub/events?seconds=${SECONDS}`, {
    headers: {Accept: 'text/event-stream', ...controlHeaders()},
    signal,
  });
  if (!answer.ok || answer.body === null) {
    throw await refusalOf(answer);
  }
  const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = '';
  for (;;) {
    const {done, value} = await reader.read();
    if (done) {
      return;
    }
    const blocks = (rest + value).split('\n\n');
    rest = blocks.pop() ?? '';
    for (const block of blocks) {
      const fields = new Map(block.split('\n').map((line) => [line.split(': ', 1)[0], line.slice(line.indexOf(': ') + 2)]));
      const data = fields.get('data');
      if (data !== undefined) {
        tell(fields.get('event') ?? 'message', JSON.parse(data));
      }
    }
  }
}

const wait = (milliseconds: number, signal: AbortSignal) =>
  new Promise<void>((resolve) => {
    const timer = setTimeout(resolve, milliseconds);
    signal.addEventListener('abort', () => (clearTimeout(timer), resolve()), {once: true});
  });

/** The world of the page, as long as the page can be seen. `attempt` begins anew, for example with a token. */
export function useLive(attempt: number): Live {
  const [live, setLive] = useState<Live>({world: undefined, version: 0, state: 'connecting', problem: '', at: 0});

  useEffect(() => {
    let controller: AbortController | undefined;

    async function run({signal}: AbortController) {
      for (let failures = 0; !signal.aborted; ) {
        try {
          await follow(signal, (kind, data) => {
            failures = 0;
            if (kind === 'world') {
              setLive(({version}) => ({
                world: data as World | null,
                version: version + 1,
                state: 'live',
                problem: '',
                at: performance.now(),
              }));
            } else if (kind === 'problem') {
              setLive((before) => ({...before, problem: String(data)}));
            }
          });
        } catch (error) {
          if (signal.aborted) {
            return;
          }
          const problem = error instanceof Refused ? error.message : 'The server cannot be reached.';
          setLive((before) => ({...before, state: 'lost', problem}));
          if (error instanceof Refused && [401, 403].includes(error.status)) {
            return; // trying again would not help
          }
          await wait(PAUSES[Math.min(failures++, PAUSES.length - 1)] ?? 0, signal);
        }
      }
    }

    function look() {
      controller?.abort();
      if (document.visibilityState === 'hidden') {
        setLive((before) => ({...before, state: 'paused'}));
        return;
      }
      controller = new AbortController();
      void run(controller);
    }

    look();
    document.addEventListener('visibilitychange', look);
    return () => {
      document.removeEventListener('visibilitychange', look);
      controller?.abort();
    };
  }, [attempt]);

  return live;
}

/** The time in the world, which goes on while its clock runs; told anew once a second, as long as the page is seen. */
export function useNow(live: Live): Date | undefined {
  const [, tick] = useState(0);
  const clock = live.world?.clock;
  const isRunning = clock !== undefined && !clock.frozen && live.state !== 'paused';
  useEffect(() => {
    if (!isRunning) {
      return undefined;
    }
    const timer = setInterval(() => tick((count) => count + 1), 1000);
    return () => clearInterval(timer);
  }, [isRunning]);
  if (clock === undefined) {
    return undefined;
  }
  const since = clock.frozen ? 0 : performance.now() - live.at;
  return new Date(Date.parse(clock.now) + since);
}
