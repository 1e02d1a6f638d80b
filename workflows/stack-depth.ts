/**
 * Frames that an error of a workflow keeps; V8's own number is ten. Temporal notes the stack of every promise and looks
 * each frame up in the source map, which is a fifth of a workflow's time with all ten. These tell where it happened.
 */
Error.stackTraceLimit = 5;
