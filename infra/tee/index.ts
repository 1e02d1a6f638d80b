export { attestHost, evidenceOf, type TeePlatform } from './platform.ts';
export { loadChip, loadRoot, loadTrustedRoot, saveChip, saveRoot } from './simulated/files.ts';
export { simulatedPlatform } from './simulated/platform.ts';
export {
  chipIdFor,
  createSimulatedRoot,
  issueChip,
  trustedRootOf,
} from './simulated/root.ts';
