export { choosePlatform } from './choose-platform.ts';
export {
  type Detection,
  detectHardware,
  HARDWARE_FORMATS,
  type HardwareFormat,
} from './hardware/detect.ts';
export { attestHost, evidenceOf, type TeePlatform } from './platform.ts';
export { loadChip, loadRoot, loadTrustedRoot, saveChip, saveRoot } from './simulated/files.ts';
export { simulatedPlatform } from './simulated/platform.ts';
export {
  chipIdFor,
  createSimulatedRoot,
  issueChip,
  type SimulatedRoot,
  trustedRootOf,
} from './simulated/root.ts';
