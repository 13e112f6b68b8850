#include "addon/native_object.h"

#ifdef __GLIBC__
#include <malloc.h>
#endif

namespace sonospike {
namespace {

/// Gives free pages back to the system. Small blocks that stay until the finalizers run, such as the objects
/// themselves, would keep the gaps between them from being used again.
void return_free_pages() {
#ifdef __GLIBC__
  malloc_trim(0);
#endif
}

}  // namespace

void ObjectList::release_abandoned(Napi::Env env) {
  // The searches cost a constant time for each object that is made.
  constexpr size_t kFewest = 8, kShare = 4;
  if (objects_.size() < next_search_) return;
  size_t left = 0;
  bool released = false;
  for (NativeObject* object : objects_) {
    if (!object->open()) continue;
    const Napi::HandleScope scope(env);
    if (object->collected()) {
      object->release(env);
      released = true;
    } else {
      ++left;
    }
  }
  if (released) return_free_pages();
  next_search_ = objects_.size() + kFewest + left / kShare;
}

void ObjectList::release_dependents(Napi::Env env, const void* core) {
  for (NativeObject* object : objects_) {
    if (object->depends_on(core)) object->release(env);
  }
}

}  // namespace sonospike
