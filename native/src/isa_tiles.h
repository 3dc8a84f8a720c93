// What each tier says about itself; context.cpp chooses by it.
#pragma once

#include "tile.h"

namespace vg {

struct IsaFacts {
  const char *name; // as in VOXGRAD_MAX_ISA; a build for tests adds " emulated"
  bool runs;        // this processor has the instructions and the operating system keeps their registers
};

VG_TILE(isa_facts, IsaFacts &facts)

} // namespace vg
