// Inner tiles: functions of *.tier.cpp files, compiled once per instruction set. VG_TILE declares one for every tier
// of this build, VG_PICK chooses by context. Tiles see plain pointers and sizes, never a context; they throw nothing.
#pragma once

#define VG_TILE_OF(tier, name, ...)                                                                                    \
  namespace tier {                                                                                                     \
  void name(__VA_ARGS__);                                                                                              \
  }

#if defined(__x86_64__)
#define VG_TILE(name, ...)                                                                                             \
  VG_TILE_OF(portable, name, __VA_ARGS__)                                                                              \
  VG_TILE_OF(avx2, name, __VA_ARGS__)                                                                                  \
  VG_TILE_OF(avx512, name, __VA_ARGS__)
#define VG_PICK(context, name)                                                                                         \
  ((context)->isa == ::vg::Isa::avx512 ? ::vg::avx512::name                                                            \
   : (context)->isa == ::vg::Isa::avx2 ? ::vg::avx2::name                                                              \
                                       : ::vg::portable::name)
#elif defined(__aarch64__) // NEON is part of the architecture: there is nothing below it
#define VG_TILE(name, ...) VG_TILE_OF(neon, name, __VA_ARGS__)
#define VG_PICK(context, name) (::vg::neon::name)
#else
#define VG_TILE(name, ...) VG_TILE_OF(portable, name, __VA_ARGS__)
#define VG_PICK(context, name) (::vg::portable::name)
#endif
