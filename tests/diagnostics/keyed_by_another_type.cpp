// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
// expect: recoup: a keyed<Key, ...> is looked up by a Key
#include "recoup/recoup.hpp"

using table = recoup::keyed<std::optional<std::uint32_t>, recoup::gap_tracker>;

const recoup::gap_tracker* find(const table& trackers) { return trackers.find(5U); }
