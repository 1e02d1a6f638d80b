/**
 * The import table of the design, plus: no cycle, no orphan, no test code in the product.
 * `parser: 'swc'` matters: under TypeScript 7, which ships no compiler API, the tool would see no `.ts` file without it
 * and pass everything. test/boundaries.spec.ts holds it to that.
 */
const SPEC = String.raw`\.spec\.ts$`;
const INSTALLED = 'node_modules';

/** Of the project's own folders, `from` may import `to` alone. */
const mayOnlyImport = (name, from, to) => ({
  name,
  severity: 'error',
  comment: `${name}: see the import table of the design`,
  from: { path: from, pathNot: SPEC },
  to: { path: '^(domain|workflows|activities|projections|api|infra|test)/', pathNot: to },
});

module.exports = {
  forbidden: [
    mayOnlyImport('domain-imports-domain', '^domain/', '^domain/'),
    mayOnlyImport('infra-imports-domain', '^infra/(?!main/)', '^(domain|infra/(?!main/))'),
    mayOnlyImport('activities-import-domain-infra', '^activities/', '^(domain|activities|infra/(?!main/))'),
    mayOnlyImport(
      'projections-import-domain-infra',
      '^projections/',
      '^(domain|projections|infra/(?!main/))',
    ),
    mayOnlyImport('workflows-import-domain', '^workflows/', '^(domain|workflows|activities)/'),
    {
      name: 'workflows-take-only-types-of-activities',
      severity: 'error',
      from: { path: '^workflows/', pathNot: SPEC },
      to: { path: '^activities/', dependencyTypesNot: ['type-only'] },
    },
    mayOnlyImport('api-imports-domain-infra-queries', '^api/', '^(domain|api|infra/(?!main/)|projections)'),
    {
      name: 'api-calls-only-queries-of-projections',
      comment: 'Besides their types: queries, and the wait for a position',
      severity: 'error',
      from: { path: '^api/', pathNot: SPEC },
      to: {
        path: '^projections/',
        pathNot: String.raw`/(queries|checkpoints)\.ts$`,
        dependencyTypesNot: ['type-only'],
      },
    },
    mayOnlyImport(
      'main-imports-product',
      '^infra/main/',
      '^(domain|workflows|activities|projections|api|infra)/',
    ),
    {
      name: 'domain-packages',
      comment: 'The domain is pure: xstate, @noble/* and, in schema.ts, zod',
      severity: 'error',
      from: { path: '^domain/', pathNot: [SPEC, String.raw`/schema\.ts$`] },
      to: { path: [INSTALLED, '^node:'], pathNot: `${INSTALLED}/(xstate|@noble)/` },
    },
    {
      name: 'domain-schema-packages',
      severity: 'error',
      from: { path: String.raw`^domain/.*/schema\.ts$` },
      to: { path: INSTALLED, pathNot: `${INSTALLED}/(zod|xstate|@noble)/` },
    },
    {
      name: 'no-node-in-pure-code',
      severity: 'error',
      from: { path: '^(domain|workflows)/', pathNot: SPEC },
      to: { dependencyTypes: ['core'] },
    },
    {
      name: 'no-schema-in-workflows',
      comment: 'zod would make up two fifths of the workflow bundle',
      severity: 'error',
      from: { path: '^workflows/', pathNot: SPEC },
      to: { path: [String.raw`/schema\.ts$`, `${INSTALLED}/zod/`], reachable: true },
    },
    {
      name: 'no-test-in-product',
      severity: 'error',
      from: { path: '^(domain|workflows|activities|projections|api|infra)/', pathNot: SPEC },
      to: { path: ['^test/', SPEC] },
    },
    {
      name: 'no-development-package-in-product',
      severity: 'error',
      from: { path: '^(domain|workflows|activities|projections|api|infra)/', pathNot: SPEC },
      to: {
        dependencyTypes: ['npm-dev'],
        dependencyTypesNot: ['type-only'],
        pathNot: `${INSTALLED}/@types/`,
      },
    },
    {
      name: 'gpl-tools-run-apart',
      comment: 'snarkjs, circom and circomlib are GPL-3.0: the tool process alone loads them',
      severity: 'error',
      from: { pathNot: ['^(infra/zk/child|test)/', SPEC] },
      to: { path: `${INSTALLED}/(snarkjs|circom2|circomlib|circomlibjs|ffjavascript)/` },
    },
    {
      name: 'gpl-tools-are-not-imported',
      comment: 'Only types of its protocol: importing its code would load the tools here',
      severity: 'error',
      from: { pathNot: ['^infra/zk/child/', SPEC] },
      to: { path: '^infra/zk/child/', dependencyTypesNot: ['type-only'] },
    },
    { name: 'no-cycle', severity: 'error', from: {}, to: { circular: true } },
    {
      name: 'no-orphan',
      comment: 'A file that nothing imports and that imports nothing is dead',
      severity: 'error',
      from: { orphan: true, pathNot: [SPEC, String.raw`\.d\.ts$`] },
      to: {},
    },
    { name: 'resolvable', severity: 'error', from: {}, to: { couldNotResolve: true } },
  ],
  options: {
    parser: 'swc',
    tsPreCompilationDeps: true,
    doNotFollow: { path: INSTALLED },
    exclude: { path: '^test/support/boundaries/' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'node', 'default', 'types'],
      extensions: ['.ts', '.js', '.mjs', '.cjs', '.json'],
    },
  },
};
