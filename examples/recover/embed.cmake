# Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#
# recover_embed(TARGET): puts the page's HTML and Chart.js (3.9 or newer, MIT; Debian: libjs-chart.js) into TARGET as
# the two strings of embedded.hpp. Without Chart.js the target builds, and --html says what is missing.

set(RECOVER_DIR "${CMAKE_CURRENT_LIST_DIR}")

find_file(RECOVER_CHART_JS
  NAMES chart.min.js chart.umd.js
  PATHS /usr/share/javascript/chart.js /usr/share/nodejs/chart.js/dist /usr/local/share/javascript/chart.js
  NO_DEFAULT_PATH
  DOC "Chart.js, one file, minified")

function(recover_embed target)
  set(RECOVER_CHART_JS_TEXT "")
  if(RECOVER_CHART_JS)
    file(READ "${RECOVER_CHART_JS}" RECOVER_CHART_JS_TEXT)
  else()
    message(STATUS "recover: no Chart.js found, so --html will not work; install libjs-chart.js")
  endif()
  file(READ "${RECOVER_DIR}/page.html" RECOVER_PAGE_HTML)
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS "${RECOVER_DIR}/page.html" ${RECOVER_CHART_JS})
  set(generated "${CMAKE_CURRENT_BINARY_DIR}/${target}_embedded.cpp")
  configure_file("${RECOVER_DIR}/embedded.cpp.in" "${generated}" @ONLY)
  target_sources(${target} PRIVATE "${generated}")
  target_include_directories(${target} PUBLIC "${RECOVER_DIR}")
endfunction()
