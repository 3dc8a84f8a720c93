// Mean and spread of a population that is counted in pieces.
#pragma once

namespace vg {

// Adds the population (count, mean, deviation) to the one in (total, m, d); deviations are sums of squares [Chan,
// Golub, LeVeque]. Equal means stay exactly equal.
inline void merge_moments(double &total, double &m, double &d, double count, double mean, double deviation) {
  const double delta = mean - m, sum = total + count;
  m += delta * (count / sum);
  d += deviation + delta * delta * (total * count / sum);
  total = sum;
}

} // namespace vg
