// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#pragma once

namespace recoup {

/// One callable of several: a sink from a lambda for each thing that a pipeline tells.
template <class... Handlers>
struct overloaded : Handlers... {
  using Handlers::operator()...;
};
template <class... Handlers>
overloaded(Handlers...) -> overloaded<Handlers...>;

}  // namespace recoup
