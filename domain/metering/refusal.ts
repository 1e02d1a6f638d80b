/** A module that metering does not take, with the rule it breaks; never leaves the instrumenter. */
export class Refusal extends Error {}

/** @throws Refusal always: the module breaks `rule`. */
export const refuse = (rule: string): never => {
  throw new Refusal(rule);
};
