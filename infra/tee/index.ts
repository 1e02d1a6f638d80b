export { attestHost, evidenceOf, type Quote, type ReportRequest, type TeePlatform } from './platform.ts';
export { loadChip, loadRoot, loadTrustedRoot, saveChip, saveRoot } from './simulated/files.ts';
export { simulatedPlatform } from './simulated/platform.ts';
export {
  chipIdFor,
  createSimulatedRoot,
  issueChip,
  type SimulatedChip,
  type SimulatedRoot,
  trustedRootOf,
} from './simulated/root.ts';
