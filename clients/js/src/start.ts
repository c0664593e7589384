/** A server of your own: started on a free port, and ended with this process, however that ends. */

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { Channel } from './channel.js';
import { StubError } from './errors.js';
import { findCommand } from './find.js';
import { type ServeOptions, argumentsOf } from './options.js';
import { Server } from './server.js';

const GUARD = fileURLToPath(new URL('./guard.js', import.meta.url));
const MOST_LINES = 20;

/** A server that this process has started. */
export class StartedServer extends Server {
  readonly #stop: () => Promise<void>;

  /** @internal Use `startServer`. */
  constructor(channel: Channel, version: string, stop: () => Promise<void>) {
    super(channel, version);
    this.#stop = stop;
  }

  /** Stops the server, and waits for its end. Without this, it ends with this process. */
  stop(): Promise<void> {
    return this.#stop();
  }
}

/**
 * Starts `stubserver serve` with the options, on a free port unless `port` names one, and waits until it can be used.
 * Throws StubError if there is no such command, or if the server says why it does not start.
 */
export async function startServer(options: ServeOptions = {}): Promise<StartedServer> {
  const words = ['serve', ...argumentsOf(options), '--log-format=json'];
  const [program = '', ...first] = findCommand();
  const child = spawn(program, [...first, ...words], { stdio: ['ignore', 'ignore', 'pipe'], windowsHide: true });
  const release = guard(child);
  const stop = async (): Promise<void> => {
    if (child.exitCode === null && child.signalCode === null && child.pid !== undefined) {
      const ended = once(child, 'exit');
      child.ref();
      child.kill();
      await ended;
    }
    release();
  };
  try {
    const { url, token } = await started(child, [program, ...first].join(' '));
    const channel = new Channel(url, options.controlToken ?? token ?? process.env['STUBSERVER_CONTROL_TOKEN']);
    await channel.call('GET', '/ready');
    return new StartedServer(channel, await channel.recognize(), stop);
  } catch (error) {
    await stop();
    throw error;
  } finally {
    child.unref();
  }
}

/** Ends the server when this process ends, even if it is killed. Returns what makes an end of that. */
function guard(child: ChildProcess): () => void {
  if (child.pid === undefined) return () => {};
  const watcher = spawn(process.execPath, [GUARD, String(child.pid)], {
    stdio: ['pipe', 'ignore', 'ignore'],
    detached: true, // Ctrl+C must not reach it first
    windowsHide: true,
  });
  watcher.on('error', () => {});
  watcher.stdin.on('error', () => {});
  watcher.unref();
  unref(watcher.stdin);
  child.once('exit', () => watcher.kill());
  return () => void watcher.kill();
}

/** Where the server listens, by its own log; all later lines of it are dropped. */
function started(child: ChildProcess, command: string): Promise<{ url: string; token: string | undefined }> {
  const said: string[] = [];
  return new Promise((resolve, reject) => {
    child.once('error', (error) => reject(new StubError(`${command} cannot be started: ${error.message}`)));
    child.once('close', (status, signal) => {
      const last = said.join(' ') || `it said nothing, and ended with ${signal ?? `status ${status}`}`;
      reject(new StubError(`${command} did not start the server: ${last}`));
    });
    if (child.stderr === null) return;
    createInterface({ input: child.stderr }).on('line', (line) => {
      const { message, url, token } = entry(line);
      if (url !== undefined) {
        unref(child.stderr);
        resolve({ url, token });
      }
      said.push(message);
      said.splice(0, said.length - MOST_LINES);
    });
  });
}

/** What a line of the log says; a line that is not JSON is the message. */
function entry(line: string): { message: string; url?: string; token?: string | undefined } {
  try {
    const said: unknown = JSON.parse(line);
    if (typeof said !== 'object' || said === null) return { message: line };
    const text = (name: string): string | undefined => {
      const value: unknown = Reflect.get(said, name);
      return typeof value === 'string' ? value : undefined;
    };
    const [message = line, url, token] = ['message', 'url', 'control_token'].map(text);
    return url === undefined ? { message } : { message, url, token };
  } catch {
    return { message: line };
  }
}

/** Lets the process end although the stream is open. */
function unref(stream: unknown): void {
  if (typeof stream === 'object' && stream !== null && 'unref' in stream && typeof stream.unref === 'function') {
    stream.unref();
  }
}
