// SPDX-License-Identifier: Apache-2.0
// A disk for tests that is full from the nth write on: a layer between
// SQLite and the real files, used by every database opened in its life.
#pragma once

#include <sqlite3.h>

#include <cstring>
#include <string>

#include "base/result.h"

namespace modicum {

// Not thread-safe; one at a time. Databases must be closed before it ends.
class FaultyDisk {
 public:
  FaultyDisk() {
    MODICUM_CHECK(current_ == nullptr);
    current_ = this;
    real_ = sqlite3_vfs_find(nullptr);
    vfs_ = *real_;
    vfs_.zName = "faulty-disk";
    vfs_.szOsFile = static_cast<int>(sizeof(File)) + real_->szOsFile;
    vfs_.xOpen = &Open;
    sqlite3_vfs_register(&vfs_, /*makeDflt=*/1);
  }
  ~FaultyDisk() {
    sqlite3_vfs_unregister(&vfs_);
    sqlite3_vfs_register(real_, 1);
    current_ = nullptr;
  }
  FaultyDisk(const FaultyDisk&) = delete;
  FaultyDisk& operator=(const FaultyDisk&) = delete;

  // Lets `count` more writes and syncs pass, and none after.
  void FailFrom(int count) { left_ = count; }
  // Times that a file was made durable.
  int syncs() const { return syncs_; }
  // True when a write was refused.
  bool failed() const { return failed_; }

 private:
  // SQLite allots szOsFile bytes: this, then the real file.
  struct File {
    sqlite3_file base;
    sqlite3_file* real() { return reinterpret_cast<sqlite3_file*>(this + 1); }
  };
  static sqlite3_file* Real(sqlite3_file* file) {
    return reinterpret_cast<File*>(file)->real();
  }
  int Spend() {
    if (left_ < 0) return SQLITE_OK;
    if (left_ > 0) {
      --left_;
      return SQLITE_OK;
    }
    failed_ = true;
    return SQLITE_FULL;
  }

  static int Open(sqlite3_vfs*, sqlite3_filename name, sqlite3_file* file,
                  int flags, int* out_flags) {
    static const sqlite3_io_methods kMethods = {
        3,
        &Close,
        [](sqlite3_file* f, void* data, int n, sqlite3_int64 at) {
          return Real(f)->pMethods->xRead(Real(f), data, n, at);
        },
        [](sqlite3_file* f, const void* data, int n, sqlite3_int64 at) {
          const int spent = current_->Spend();
          if (spent != SQLITE_OK) return spent;
          return Real(f)->pMethods->xWrite(Real(f), data, n, at);
        },
        [](sqlite3_file* f, sqlite3_int64 size) {
          return Real(f)->pMethods->xTruncate(Real(f), size);
        },
        [](sqlite3_file* f, int how) {
          const int spent = current_->Spend();
          if (spent != SQLITE_OK) return spent;
          ++current_->syncs_;
          return Real(f)->pMethods->xSync(Real(f), how);
        },
        [](sqlite3_file* f, sqlite3_int64* size) {
          return Real(f)->pMethods->xFileSize(Real(f), size);
        },
        [](sqlite3_file* f, int lock) {
          return Real(f)->pMethods->xLock(Real(f), lock);
        },
        [](sqlite3_file* f, int lock) {
          return Real(f)->pMethods->xUnlock(Real(f), lock);
        },
        [](sqlite3_file* f, int* out) {
          return Real(f)->pMethods->xCheckReservedLock(Real(f), out);
        },
        [](sqlite3_file* f, int op, void* arg) {
          return Real(f)->pMethods->xFileControl(Real(f), op, arg);
        },
        [](sqlite3_file* f) { return Real(f)->pMethods->xSectorSize(Real(f)); },
        [](sqlite3_file* f) {
          return Real(f)->pMethods->xDeviceCharacteristics(Real(f));
        },
        [](sqlite3_file* f, int page, int size, int extend,
           void volatile** out) {
          return Real(f)->pMethods->xShmMap(Real(f), page, size, extend, out);
        },
        [](sqlite3_file* f, int offset, int n, int flags_) {
          return Real(f)->pMethods->xShmLock(Real(f), offset, n, flags_);
        },
        [](sqlite3_file* f) { Real(f)->pMethods->xShmBarrier(Real(f)); },
        [](sqlite3_file* f, int unlink) {
          return Real(f)->pMethods->xShmUnmap(Real(f), unlink);
        },
        [](sqlite3_file*, sqlite3_int64, int, void** out) {
          *out = nullptr;  // no memory maps: every access is a call
          return SQLITE_OK;
        },
        [](sqlite3_file*, sqlite3_int64, void*) { return SQLITE_OK; }};
    std::memset(file, 0, sizeof(File));
    const int code = current_->real_->xOpen(current_->real_, name, Real(file),
                                            flags, out_flags);
    if (Real(file)->pMethods != nullptr) file->pMethods = &kMethods;
    return code;
  }
  static int Close(sqlite3_file* file) {
    return Real(file)->pMethods->xClose(Real(file));
  }

  static inline FaultyDisk* current_ = nullptr;
  sqlite3_vfs* real_ = nullptr;
  sqlite3_vfs vfs_{};
  int left_ = -1;  // negative: no limit
  int syncs_ = 0;
  bool failed_ = false;
};

}  // namespace modicum
