/** States of a TCB level in Intel's collateral (PCS API version 4), from good to bad. */
export const TCB_STATUSES = [
  'UpToDate',
  'SWHardeningNeeded',
  'ConfigurationNeeded',
  'ConfigurationAndSWHardeningNeeded',
  'OutOfDate',
  'OutOfDateConfigurationNeeded',
  'Revoked',
] as const;
export type TcbStatus = (typeof TCB_STATUSES)[number];

/** State of a platform, and the advisories that are open for it. */
export interface TcbVerdict {
  readonly status: TcbStatus;
  readonly advisories: readonly string[];
}

const worse = (a: TcbStatus, b: TcbStatus): TcbStatus => {
  const statuses = [a, b];
  // Neither of the two tells both troubles.
  if (
    statuses.includes('OutOfDate') &&
    statuses.some((each) => each === 'ConfigurationNeeded' || each === 'ConfigurationAndSWHardeningNeeded')
  )
    return 'OutOfDateConfigurationNeeded';
  return TCB_STATUSES.indexOf(a) >= TCB_STATUSES.indexOf(b) ? a : b;
};

/** The state of parts that are judged on their own; null when one of them matches no level at all. */
export const converge = (parts: readonly (TcbVerdict | null)[]): TcbVerdict | null => {
  let total: TcbVerdict = { status: 'UpToDate', advisories: [] };
  for (const part of parts) {
    if (part === null) return null;
    total = {
      status: worse(total.status, part.status),
      advisories: [...new Set([...total.advisories, ...part.advisories])],
    };
  }
  return total;
};

/** Reason code of each state. */
export const TCB_CODES: Readonly<Record<TcbStatus, string>> = {
  UpToDate: 'OK',
  SWHardeningNeeded: 'TCB_SW_HARDENING_NEEDED',
  ConfigurationNeeded: 'TCB_CONFIGURATION_NEEDED',
  ConfigurationAndSWHardeningNeeded: 'TCB_CONFIGURATION_AND_SW_HARDENING_NEEDED',
  OutOfDate: 'TCB_OUT_OF_DATE',
  OutOfDateConfigurationNeeded: 'TCB_OUT_OF_DATE_CONFIGURATION_NEEDED',
  Revoked: 'TCB_REVOKED',
};
