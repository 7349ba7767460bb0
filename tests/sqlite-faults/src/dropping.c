/* A VFS on top of SQLite's own VFS for Unix. If a file `STORE.trace` exists next to a database, the
** VFS appends to it each write, truncation, sync and deletion of the database, its log and its
** journal, in their order. From that, src/trace.rs computes what a power cut at any moment leaves.
**
** If a file `STORE.synchronous` with one digit exists too, each `PRAGMA synchronous` sets that
** digit instead of the requested level: 0 is OFF, 1 NORMAL.
*/
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#include "sqlite3.h"

enum file { DATABASE, LOG, JOURNAL, UNTRACED };
static const char *const SUFFIX[] = {"", "-wal", "-journal"};

/* The folder is synced too: by a deletion that requests it, and with the first sync of a log or
** journal, when SQLite's VFS also syncs the folder, so that the new name is durable. */
enum action { WRITE, TRUNCATE, SYNC, SYNC_WITH_FOLDER, DELETE, DELETE_AND_SYNC_FOLDER };

/* Read by src/trace.rs. The bytes of a write follow the record. */
struct record {
  uint32_t action, file;
  uint64_t at, length;
};

/* Our state of a file, stored after SQLite's own. */
struct traced {
  sqlite3_io_methods methods;
  const sqlite3_io_methods *below;
  enum file file;
  int trace;
  int name_is_synced;
  char synchronous;
};

static sqlite3_vfs *below;
static sqlite3_vfs dropping;

static struct traced *traced(sqlite3_file *file) {
  return (struct traced *)((char *)file + dropping.szOsFile - (int)sizeof(struct traced));
}

/* A test with an incomplete trace would prove nothing. */
static void fail(const char *reason) {
  perror(reason);
  abort();
}

static int open_sibling(const char *name, enum file file, const char *suffix, int flags) {
  char path[4096];
  int stem = (int)(strlen(name) - strlen(SUFFIX[file]));
  int length = snprintf(path, sizeof path, "%.*s%s", stem, name, suffix);
  if (length < 0 || (size_t)length >= sizeof path) fail("path too long");
  return open(path, flags | O_CLOEXEC);
}

static void append(int trace, struct record record, const void *bytes) {
  struct iovec parts[] = {{&record, sizeof record}, {(void *)bytes, bytes ? record.length : 0}};
  ssize_t whole = (ssize_t)(parts[0].iov_len + parts[1].iov_len);
  /* One call, so that records of different threads do not interleave. */
  if (writev(trace, parts, 2) != whole) fail("cannot write the trace");
}

static int do_write(sqlite3_file *file, const void *bytes, int length, sqlite3_int64 at) {
  struct traced *t = traced(file);
  int rc = t->below->xWrite(file, bytes, length, at);
  if (rc == SQLITE_OK)
    append(t->trace, (struct record){WRITE, t->file, (uint64_t)at, (uint64_t)length}, bytes);
  return rc;
}

static int do_truncate(sqlite3_file *file, sqlite3_int64 size) {
  struct traced *t = traced(file);
  int rc = t->below->xTruncate(file, size);
  if (rc == SQLITE_OK) append(t->trace, (struct record){TRUNCATE, t->file, (uint64_t)size, 0}, NULL);
  return rc;
}

/* The real disk is not synced: a power cut is computed from the trace. */
static int do_sync(sqlite3_file *file, int flags) {
  struct traced *t = traced(file);
  (void)flags;
  append(t->trace, (struct record){t->name_is_synced ? SYNC : SYNC_WITH_FOLDER, t->file, 0, 0}, NULL);
  t->name_is_synced = 1;
  return SQLITE_OK;
}

static int do_file_control(sqlite3_file *file, int op, void *arg) {
  struct traced *t = traced(file);
  if (op == SQLITE_FCNTL_PRAGMA && t->synchronous) {
    char **pragma = arg;
    if (pragma[2] && pragma[2][0] && sqlite3_stricmp(pragma[1], "synchronous") == 0) {
      pragma[2][0] = t->synchronous;
      pragma[2][1] = 0;
    }
  }
  return t->below->xFileControl(file, op, arg);
}

static int do_close(sqlite3_file *file) {
  struct traced *t = traced(file);
  close(t->trace);
  return t->below->xClose(file);
}

static int do_open(sqlite3_vfs *vfs, const char *name, sqlite3_file *file, int flags, int *out) {
  (void)vfs;
  int rc = below->xOpen(below, name, file, flags, out);
  enum file which = flags & SQLITE_OPEN_MAIN_DB        ? DATABASE
                    : flags & SQLITE_OPEN_WAL          ? LOG
                    : flags & SQLITE_OPEN_MAIN_JOURNAL ? JOURNAL
                                                       : UNTRACED;
  if (rc != SQLITE_OK || which == UNTRACED || !name) return rc;
  int trace = open_sibling(name, which, ".trace", O_WRONLY | O_APPEND);
  if (trace < 0) return rc;

  struct traced *t = traced(file);
  *t = (struct traced){*file->pMethods, file->pMethods, which, trace, which == DATABASE, 0};
  t->methods.xWrite = do_write;
  t->methods.xTruncate = do_truncate;
  t->methods.xSync = do_sync;
  t->methods.xFileControl = do_file_control;
  t->methods.xClose = do_close;
  file->pMethods = &t->methods;

  int synchronous = open_sibling(name, which, ".synchronous", O_RDONLY);
  if (synchronous >= 0) {
    if (read(synchronous, &t->synchronous, 1) != 1) fail("no digit in STORE.synchronous");
    close(synchronous);
  }
  return rc;
}

static int do_delete(sqlite3_vfs *vfs, const char *name, int sync) {
  (void)vfs;
  int rc = below->xDelete(below, name, sync);
  if (rc != SQLITE_OK) return rc;
  for (enum file file = LOG; file <= JOURNAL; file++) {
    size_t length = strlen(name), suffix = strlen(SUFFIX[file]);
    if (length <= suffix || strcmp(name + length - suffix, SUFFIX[file]) != 0) continue;
    int trace = open_sibling(name, file, ".trace", O_WRONLY | O_APPEND);
    if (trace < 0) continue;
    append(trace, (struct record){sync ? DELETE_AND_SYNC_FOLDER : DELETE, file, 0, 0}, NULL);
    close(trace);
  }
  return rc;
}

/* Makes `dropping` the default VFS: that of every database opened without naming another. */
int sqlite_faults_install(void) {
  below = sqlite3_vfs_find("unix");
  if (!below) return SQLITE_NOTFOUND;
  dropping = *below;
  dropping.zName = "dropping";
  dropping.pNext = NULL;
  dropping.szOsFile = (below->szOsFile + 15) / 16 * 16 + (int)sizeof(struct traced);
  dropping.xOpen = do_open;
  dropping.xDelete = do_delete;
  return sqlite3_vfs_register(&dropping, 1);
}
