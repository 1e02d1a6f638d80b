/** Exit codes of every command, also told by `--help`. */
export const EXIT = {
  ok: 0,
  /** The job failed, a check of the audit failed, or the API could not do it. */
  failed: 1,
  /** The request makes no sense or was refused. */
  refused: 2,
  /** By Ctrl-C, as shells say it. */
  interrupted: 130,
} as const;

type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** A failure that the person at the terminal can act on: shown as its message, without a stack trace. */
export class CliError extends Error {
  override readonly name: string = 'CliError';
  readonly exitCode: ExitCode;

  constructor(message: string, exitCode: ExitCode = EXIT.failed) {
    super(message);
    this.exitCode = exitCode;
  }
}

/** A command line or a file of the user that cannot be right. */
export const refuse = (message: string): CliError => new CliError(message, EXIT.refused);
