/** `/a/{b}` of a declaration as `/a/:b`, the router's form. */
export const routerPath = (path: string): string => path.replaceAll(/\{(\w+)\}/g, ':$1');
