// What the sanitizers ask each program for before it starts: the tests start programs in an environment of their own,
// which no variable of the user's reaches.

extern "C" {

/// Pointers that only Open MPI's own libraries hold, or lost, until the process ends.
const char* __lsan_default_suppressions() {
  return "leak:libmpi\n"
         "leak:libopen-\n"
         "leak:libpmix\n"
         "leak:mca_\n"
         "leak:libevent\n"
         "leak:libhwloc\n"
         "leak:vasprintf_internal\n";
}

const char* __lsan_default_options() { return "print_suppressions=0"; }

/// Memory that is refused is an error like any other, as without the sanitizer.
const char* __asan_default_options() { return "allocator_may_return_null=1"; }

/// Keeps libraries where they are, or the leaks of those that Open MPI has closed belong to no one.
int dlclose(void*) { return 0; }
}
