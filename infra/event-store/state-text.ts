/** A snapshot's state as it is kept. @throws TypeError when JSON cannot carry it. */
export const stateText = (state: unknown): string => {
  const text: string | undefined = JSON.stringify(state);
  if (text === undefined) throw new TypeError('a snapshot needs a state that JSON can carry');
  return text;
};
