import { Command } from 'commander';

/** One file per simulation, loaded when it is asked for. Each prints its table to standard output. */
const SIMULATIONS: Readonly<Record<string, () => Promise<{ run(): void | Promise<void> }>>> = {
  solver: () => import('./solver.ts'),
  overbid: () => import('./overbid.ts'),
  trust: () => import('./trust.ts'),
  adversary: () => import('./adversary.ts'),
  strangers: () => import('./strangers.ts'),
};

await new Command('sim')
  .argument('<name>', `one of: ${Object.keys(SIMULATIONS).join(', ')}`)
  .action(async (name: string, _options, command: Command) => {
    const load = Object.hasOwn(SIMULATIONS, name) ? SIMULATIONS[name] : undefined;
    if (!load) return command.error(`unknown simulation ${name}`);
    await (await load()).run();
  })
  .parseAsync();
