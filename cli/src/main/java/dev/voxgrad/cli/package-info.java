/** The command line: a class per command, each of which parses, builds a record, calls the engine and prints. */
package dev.voxgrad.cli;
