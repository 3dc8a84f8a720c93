// Inner tiles: functions of *.tier.cpp files, compiled once per instruction set. VG_TILE declares one for every tier
// of this build, VG_PICK chooses by context. Tiles see plain pointers and sizes, never a context; they throw nothing.
#pragma once

#if defined(__x86_64__)
#define VG_TILE(name, ...)                                                                                             \
  namespace portable {                                                                                                 \
  void name(__VA_ARGS__);                                                                                              \
  }                                                                                                                    \
  namespace avx2 {                                                                                                     \
  void name(__VA_ARGS__);                                                                                              \
  }
#define VG_PICK(context, name) ((context)->isa == ::vg::Isa::avx2 ? ::vg::avx2::name : ::vg::portable::name)
#else
#define VG_TILE(name, ...)                                                                                             \
  namespace portable {                                                                                                 \
  void name(__VA_ARGS__);                                                                                              \
  }
#define VG_PICK(context, name) (::vg::portable::name)
#endif
