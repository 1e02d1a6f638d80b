import type { Command } from 'commander';
import type { ChangedSubject, KeyedSubject, ListedSubject } from '../client/subject-client.ts';
import type { CliContext } from '../context.ts';
import { collect } from '../options.ts';
import { columns } from '../render/text.ts';
import { writeLines } from '../write.ts';

interface Options {
  readonly json?: true;
}

const JSON_OPTION = ['--json', 'print one JSON object and nothing else'] as const;
const ROLES = 'submitter, provider, operator, auditor or admin; may be given many times';

const changeLines = ({ subject_id, roles }: ChangedSubject): string[] => [
  `${subject_id}  ${roles.join(' ')}`,
];

const keyLines = (keyed: KeyedSubject): string[] => [
  ...changeLines(keyed),
  keyed.api_key === null ? `key ${keyed.key_id}` : `API key, shown only now: ${keyed.api_key}`,
];

const table = (subjects: readonly ListedSubject[]): string[] =>
  columns(
    subjects.flatMap(({ subject_id, roles, keys }) => [
      [subject_id, roles.join(' ')],
      ...keys.map(({ key_id, created_at, revoked_at }) => [
        `  ${key_id}`,
        `since ${created_at}${revoked_at === null ? '' : `, revoked ${revoked_at}`}`,
      ]),
    ]),
  );

/** Who may use this installation, as what, and by which keys: for admins. */
export const addSubject = (program: Command, context: CliContext): void => {
  const subject = program.command('subject').description('principals, their roles and keys (for admins)');
  const print = (json: true | undefined, answer: object, lines: readonly string[]) =>
    writeLines(context.stdout, json ? [JSON.stringify(answer)] : lines);

  subject
    .command('create')
    .description('enrol a principal; prints its API key once, unless it has a key of its own')
    .requiredOption('--role <role>', ROLES, collect)
    .option('--public-key <hex>', 'its Ed25519 key, instead of an API key')
    .option(...JSON_OPTION)
    .action(async ({ role, publicKey, json }: Options & { role: string[]; publicKey?: string }) => {
      const { subjects } = await context.engine();
      const key = publicKey === undefined ? {} : { public_key: publicKey };
      const made = await subjects.create({ roles: role, ...key });
      await print(json, made, keyLines(made));
    });

  subject
    .command('list')
    .description('all principals with their roles and keys (for auditors, too)')
    .option(...JSON_OPTION)
    .action(async ({ json }: Options) => {
      const { subjects } = await context.engine();
      const items = await Array.fromAsync(subjects.list());
      await print(json, { items }, table(items));
    });

  subject
    .command('roles')
    .description('replace the roles of a principal')
    .argument('<id>', 'the principal')
    .requiredOption('--role <role>', ROLES, collect)
    .option(...JSON_OPTION)
    .action(async (id: string, { role, json }: Options & { role: string[] }) => {
      const { subjects } = await context.engine();
      const changed = await subjects.changeRoles(id, role);
      await print(json, changed, changeLines(changed));
    });

  subject
    .command('add-key')
    .description('give a principal one more API key, which is printed once')
    .argument('<id>', 'the principal')
    .option(...JSON_OPTION)
    .action(async (id: string, { json }: Options) => {
      const { subjects } = await context.engine();
      const keyed = await subjects.addKey(id);
      await print(json, keyed, keyLines(keyed));
    });

  subject
    .command('revoke-key')
    .description('revoke a key of a principal for good')
    .argument('<id>', 'the principal')
    .argument('<key>', 'the key: of an API key, the part before the dot')
    .option(...JSON_OPTION)
    .action(async (id: string, key: string, { json }: Options) => {
      const { subjects } = await context.engine();
      const changed = await subjects.revokeKey(id, key);
      await print(json, changed, [`revoked ${key} of ${changed.subject_id}`]);
    });
};
