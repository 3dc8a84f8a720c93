/** The HTML report: one file that works without network. It knows plain records, nothing of training. */
package dev.voxgrad.cli.report;
