/** What to train and on what: data set descriptions, plans, preprocessing of cases. */
package dev.voxgrad.engine.plan;
