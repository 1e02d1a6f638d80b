/**
 * A window of observation began: who is asked for what and by whom is fixed, before anybody can know what the rounds
 * will ask for.
 */
export interface ObservationOpened {
  readonly type: 'observation.opened';
  readonly machineVersion: number;
  readonly network: string;
  /** Begin of the first round. */
  readonly from: string;
  readonly roundSeconds: number;
  readonly rounds: number;
  /** How many providers are observed. */
  readonly providers: number;
  /** Artefact that holds the terms of all of them: hex SHA-256 of their canonical JSON. */
  readonly terms: string;
  readonly openedAt: string;
}

/** A round began: the head of the log that its chunks are drawn from has to contain this. */
export interface RoundOpened {
  readonly type: 'observation.round-opened';
  readonly round: number;
  readonly openedAt: string;
}

export type ObservationEvent = ObservationOpened | RoundOpened;
