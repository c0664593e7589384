/** Worlds of the Course API stub server: `connect(url)` or `startServer()`, then `server.world()`. */

export type * from './contract.js';
export { StubError, VerificationError } from './errors.js';
export type { Clock, Faults, Journal, Variants } from './parts.js';
export { type ConnectOptions, type Server, connect } from './server.js';
export type { World, WorldRequest } from './world.js';
export type { ServeOptions } from './options.js';
export { type StartedServer, startServer } from './start.js';
