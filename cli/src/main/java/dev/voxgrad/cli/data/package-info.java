/** Example data: a real labelled brain MR from a Debian package, or a drawn phantom where that cannot be had. */
package dev.voxgrad.cli.data;
