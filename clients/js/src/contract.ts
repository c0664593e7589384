/** The types of the control plane's contract under short names. */

import type { components, operations } from './generated/control.js';

type Schemas = components['schemas'];

/** What a world is: its fixture, its clock, and how much has happened in it. */
export type WorldFacts = Schemas['World'];
/** What a new world starts from: a fixture, a snapshot or another world. */
export type WorldOptions = Schemas['WorldCreate'];
export type ClockFacts = Schemas['Clock'];
/** What goes wrong, for which requests and how often. */
export type FaultOptions = Schemas['FaultCreate'];
export type Fault = Schemas['Fault'];
/** What is different in the answers of a world, though the contract allows it as well. */
export type VariantOptions = Schemas['VariantCreate'];
export type Variant = Schemas['Variant'];
/** A place of an answer, with a kind of variant that the contract allows there. */
export type OfferedVariant = Schemas['OfferedVariant'];
/** An entry of the journal: a request with its response and what led to it. */
export type JournalEntry = Schemas['Request'];
/** Which requests the world should have received. */
export type Expectation = Schemas['Expectation'];
export type Verdict = Schemas['Verdict'];
export type Snapshot = Schemas['Snapshot'];
export type PersonaFacts = Schemas['Persona'];
export type Coverage = Schemas['Coverage'];
/** All that it takes to repeat what happened in a world. */
export type Case = Schemas['Case'];
/** Which entries of the journal. */
export type JournalFilter = NonNullable<operations['list_requests']['parameters']['query']>;
/** Which of the variants that the contract offers. */
export type OfferedFilter = NonNullable<operations['list_offered_variants']['parameters']['query']>;
/** How far to move the clock. */
export type Advance = operations['advance_clock']['requestBody']['content']['application/json'];

/** A persona of the fixture `default`, or of one of your own. */
export type Persona =
  | 'creator'
  | 'manager'
  | 'member'
  | 'invited'
  | 'requested'
  | 'stranger'
  | 'staff'
  | (string & Record<never, never>);
