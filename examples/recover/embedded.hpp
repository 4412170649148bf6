// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

// What the build puts into the program, so that a page can be written on any machine. See embed.cmake.
namespace recover::embedded {

extern const std::string_view page_html;
extern const std::string_view chart_js;  // Empty where the build found none.

}  // namespace recover::embedded
