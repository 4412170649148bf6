# cmake -D program=FILE -P expect_error.cmake -- COMPILER FLAG...
set(command)
set(separator_seen OFF)
foreach(i RANGE ${CMAKE_ARGC})
  if(separator_seen)
    list(APPEND command ${CMAKE_ARGV${i}})
  elseif("${CMAKE_ARGV${i}}" STREQUAL "--")
    set(separator_seen ON)
  endif()
endforeach()

file(READ ${program} text)
if(NOT text MATCHES "(^|\n)// expect: ([^\n]+)")
  message(FATAL_ERROR "${program} has no line of the form '// expect: <text>'.")
endif()
set(expected "${CMAKE_MATCH_2}")

set(ENV{LC_ALL} C)
execute_process(
  COMMAND ${command} -fsyntax-only ${program}
  RESULT_VARIABLE result
  OUTPUT_VARIABLE output
  ERROR_VARIABLE output)
string(REGEX MATCH "[^\n]*error:[^\n]*" first_error "${output}")
string(FIND "${first_error}" "${expected}" position)
message("${output}")
if(result EQUAL 0)
  message("expected an error with: ${expected}")
  message(FATAL_ERROR "The program compiles.")
elseif(position EQUAL -1)
  message("expected in the first error: ${expected}")
  message(FATAL_ERROR "The first error is another one.")
endif()
