// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

namespace detect {

extern const std::string_view page_html;  // page.html, put in by the build.

}  // namespace detect
