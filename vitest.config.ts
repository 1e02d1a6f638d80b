import { defineConfig } from 'vitest/config';

const ignored = ['**/node_modules/**', '**/.aivillage/**'];

export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: 'unit',
          include: ['**/*.spec.ts'],
          exclude: [...ignored, '**/*.int.spec.ts', '**/*.long.spec.ts', 'test/e2e/**'],
          testTimeout: 30_000,
        },
      },
      {
        test: {
          // Simulations and exhaustive flips: without servers, but too long to wait for before a commit.
          name: 'long',
          include: ['**/*.long.spec.ts'],
          exclude: ignored,
          testTimeout: 120_000,
        },
      },
      {
        test: {
          name: 'integration',
          include: ['**/*.int.spec.ts'],
          exclude: [...ignored, 'test/e2e/**'],
          globalSetup: ['test/support/global-setup.ts'],
          testTimeout: 60_000,
          hookTimeout: 180_000,
        },
      },
      {
        test: {
          name: 'e2e',
          include: ['test/e2e/**/*.spec.ts'],
          exclude: ignored,
          globalSetup: ['test/e2e/support/global-setup.ts'],
          fileParallelism: false,
          testTimeout: 300_000,
          hookTimeout: 600_000,
        },
      },
    ],
  },
});
