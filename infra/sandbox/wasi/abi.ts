/** WASI preview 1 (snapshot 1 of the witx definition): numbers and names. */

export const ERRNO = {
  success: 0,
  badf: 8,
  fault: 21,
  inval: 28,
  nospc: 51,
  spipe: 70,
  notcapable: 76,
} as const;

export const STDIN = 0;
export const STDOUT = 1;
export const STDERR = 2;

/** Every function of preview 1. A module may import any of them; most answer a capability error. */
export const PREVIEW1_FUNCTIONS = [
  'args_get',
  'args_sizes_get',
  'environ_get',
  'environ_sizes_get',
  'clock_res_get',
  'clock_time_get',
  'fd_advise',
  'fd_allocate',
  'fd_close',
  'fd_datasync',
  'fd_fdstat_get',
  'fd_fdstat_set_flags',
  'fd_fdstat_set_rights',
  'fd_filestat_get',
  'fd_filestat_set_size',
  'fd_filestat_set_times',
  'fd_pread',
  'fd_prestat_get',
  'fd_prestat_dir_name',
  'fd_pwrite',
  'fd_read',
  'fd_readdir',
  'fd_renumber',
  'fd_seek',
  'fd_sync',
  'fd_tell',
  'fd_write',
  'path_create_directory',
  'path_filestat_get',
  'path_filestat_set_times',
  'path_link',
  'path_open',
  'path_readlink',
  'path_remove_directory',
  'path_rename',
  'path_symlink',
  'path_unlink_file',
  'poll_oneoff',
  'proc_exit',
  'proc_raise',
  'sched_yield',
  'random_get',
  'sock_accept',
  'sock_recv',
  'sock_send',
  'sock_shutdown',
] as const;
export type Preview1Function = (typeof PREVIEW1_FUNCTIONS)[number];

export const MODULE_NAME = 'wasi_snapshot_preview1';
