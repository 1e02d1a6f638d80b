/** A share of memory that concurrent large messages draw from. */
export interface ByteBudget {
  /** Takes `bytes`, or answers false when they are not there. */
  take(bytes: number): boolean;
  give(bytes: number): void;
}

export const createByteBudget = (total: number): ByteBudget => {
  let free = total;
  return {
    take(bytes) {
      if (bytes > free) return false;
      free -= bytes;
      return true;
    },
    give(bytes) {
      free += bytes;
    },
  };
};
