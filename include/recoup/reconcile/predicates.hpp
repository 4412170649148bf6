// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#pragma once

/// Conditions on an event's fields, each a value that is callable as bool(event, now). A field is named by a member
/// pointer, a callable, or field<"name">(...), which explanations then call by its name. Apart from `required`, an
/// absent field (an empty std::optional) passes: whether it may be absent is a question of its own.

#include "recoup/reconcile/external_value.hpp"
#include "recoup/reconcile/field.hpp"
#include "recoup/reconcile/predicates/combinators.hpp"
#include "recoup/reconcile/predicates/equals.hpp"
#include "recoup/reconcile/predicates/finite.hpp"
#include "recoup/reconcile/predicates/in_range.hpp"
#include "recoup/reconcile/predicates/monotone.hpp"
#include "recoup/reconcile/predicates/not_swapped.hpp"
#include "recoup/reconcile/predicates/product_equals.hpp"
#include "recoup/reconcile/predicates/rate_of_change.hpp"
#include "recoup/reconcile/predicates/required.hpp"
#include "recoup/reconcile/predicates/text_forms.hpp"
#include "recoup/reconcile/predicates/times.hpp"
#include "recoup/reconcile/predicates/unique_within.hpp"
#include "recoup/reconcile/predicates/well_formed.hpp"
#include "recoup/reconcile/predicates/within.hpp"
