// What a person sees while it runs.
#pragma once
#include <string>

#include "load/load.hpp"

namespace trackops::load {

// "[=====>    ]  52%  10,000 accepted (2,400/s), 9,800 confirmed, 120 cancelled, 80 pending";
// without the bar when the share is not known.
std::string progress_line(const LoadReport& so_far, double share);

// On standard error: one line that is written over when that is a terminal, else a line every 5 s.
ProgressOptions progress_on_stderr();
void end_progress_on_stderr();

}  // namespace trackops::load
