/**
 * A replay decided otherwise than the log was given. It fails the workflow task and not the workflow: the task is repeated
 * until a worker has the rules back that the stream began with, and nothing is lost meanwhile.
 */
export class ChangedRuleError extends Error {
  override readonly name = 'ChangedRuleError';

  /** @param version `<aggregate> version <number>`. */
  constructor(version: string, stream: string, revision: number) {
    super(
      `a rule of ${version} has changed: what ${stream} did up to revision ${revision} does not follow from this code. ` +
        'Deploy the code that version began with, and give the changed rule a version of its own.',
    );
  }
}
