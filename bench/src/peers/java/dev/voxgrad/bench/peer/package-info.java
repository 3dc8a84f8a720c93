/** What several peers have in common. */
package dev.voxgrad.bench.peer;
