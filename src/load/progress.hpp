// The progress display of a running load.
#pragma once
#include <string>

#include "load/report.hpp"
#include "load/run.hpp"

namespace trackops::load {

// Formats one line, such as
// [=====>    ]  52%  10,000 accepted (2,400/s), 9,800 confirmed, 120 cancelled, 80 pending
// The bar is left out if `share` is negative (the input's size is unknown).
std::string progress_line(const LoadReport& so_far, double share);

// Shows the progress on standard error. On a terminal, one line is overwritten five times a second;
// otherwise a line is printed every 5 s.
ProgressOptions progress_on_stderr();
void end_progress_on_stderr();

}  // namespace trackops::load
