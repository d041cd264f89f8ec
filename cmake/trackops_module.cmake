# Sets `out` to the target name of each folder, after `prefix`: src/order/domain -> order_domain,
# platform/sql -> sql.
function(trackops_targets_of prefix out)
  string(REPLACE "/" "_" names "${ARGN}")
  list(TRANSFORM names REPLACE "^platform_" "")
  list(TRANSFORM names PREPEND "${prefix}")
  set(${out} ${names} PARENT_SCOPE)
endfunction()

# trackops_module(FOLDER [FOLDERS subfolders...] LINK modules... USES libraries... TEST_LINK modules...)
# Makes a library of the *.cpp files of the folder and of the named subfolders (src/order/domain -> order_domain), and a test program of
# their *_test.cpp files. LINK names our own modules by folder. USES names third-party targets, which stay private. TEST_LINK names the
# modules that only the tests need.
function(trackops_module folder)
  cmake_parse_arguments(arg "" "" "FOLDERS;LINK;USES;TEST_LINK" ${ARGN})
  trackops_targets_of("" target ${folder})
  set(patterns ${CMAKE_CURRENT_SOURCE_DIR}/${folder}/*.cpp)
  foreach(inner IN LISTS arg_FOLDERS)
    list(APPEND patterns ${CMAKE_CURRENT_SOURCE_DIR}/${folder}/${inner}/*.cpp)
  endforeach()
  file(GLOB sources CONFIGURE_DEPENDS ${patterns})
  set(tests ${sources})
  list(FILTER sources EXCLUDE REGEX "_test\\.cpp$")
  list(FILTER tests INCLUDE REGEX "_test\\.cpp$")
  trackops_targets_of(trackops:: links ${arg_LINK})
  if(sources)
    add_library(trackops_${target} STATIC ${sources})
    target_include_directories(trackops_${target} PUBLIC ${PROJECT_SOURCE_DIR}/src)
    target_link_libraries(trackops_${target} PUBLIC ${links} fmt::fmt Threads::Threads PRIVATE ${arg_USES})
  else()
    add_library(trackops_${target} INTERFACE)
    target_include_directories(trackops_${target} INTERFACE ${PROJECT_SOURCE_DIR}/src)
    target_link_libraries(trackops_${target} INTERFACE ${links} fmt::fmt Threads::Threads)
  endif()
  add_library(trackops::${target} ALIAS trackops_${target})
  if(TRACKOPS_TESTS AND tests)
    trackops_targets_of(trackops:: test_links ${arg_TEST_LINK})
    add_executable(${target}_test ${tests})
    target_link_libraries(${target}_test PRIVATE trackops_${target} ${test_links} ${arg_USES} GTest::gtest GTest::gmock GTest::gtest_main)
    add_test(NAME ${target} COMMAND ${target}_test)
    set_tests_properties(${target} PROPERTIES TIMEOUT 900)
  endif()
endfunction()

# trackops_generated_header(NAME FILE): makes the library trackops::NAME, which gives its users a header that a command of the caller writes
# below ${CMAKE_BINARY_DIR}/generated.
function(trackops_generated_header name file)
  add_custom_target(trackops_${name}_made DEPENDS ${file})
  if(NOT TARGET headers_made) # all generated headers, for tools that read the code without a build
    add_custom_target(headers_made)
  endif()
  add_dependencies(headers_made trackops_${name}_made)
  add_library(trackops_${name} INTERFACE)
  add_dependencies(trackops_${name} trackops_${name}_made)
  target_include_directories(trackops_${name} INTERFACE ${CMAKE_BINARY_DIR}/generated)
  add_library(trackops::${name} ALIAS trackops_${name})
endfunction()

# trackops_migrations(FOLDER): embeds FOLDER/migrations/NNNN_name.sql in `FOLDER/migrations.hpp`, as an array `migrations` in the namespace
# of the folder's last part. Other modules LINK FOLDER/migrations.
function(trackops_migrations folder)
  trackops_targets_of("" target ${folder})
  get_filename_component(word ${folder} NAME)
  file(GLOB files CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/${folder}/migrations/*.sql)
  set(out ${CMAKE_BINARY_DIR}/generated/${folder}/migrations.hpp)
  add_custom_command(
    OUTPUT ${out}
    COMMAND ${CMAKE_COMMAND} -DFOLDER=src/${folder} -DNAMESPACE=${word} "-DFILES=${files}" -DOUT=${out}
            -P ${PROJECT_SOURCE_DIR}/cmake/embed_migrations.cmake
    DEPENDS ${files} ${PROJECT_SOURCE_DIR}/cmake/embed_migrations.cmake
    VERBATIM)
  trackops_generated_header(${target}_migrations ${out})
endfunction()

# trackops_contract(SERVICE): embeds contracts/SERVICE.yaml (order-service) and the page made from it in `contracts/order_service.hpp`.
# Other modules LINK contracts/order_service.
function(trackops_contract service)
  string(REPLACE "-" "_" name ${service})
  file(GLOB files CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/contracts/*.yaml ${PROJECT_SOURCE_DIR}/contracts/*.py)
  set(out ${CMAKE_BINARY_DIR}/generated/contracts/${name}.hpp)
  add_custom_command(
    OUTPUT ${out}
    COMMAND ${TRACKOPS_PYTHON} -B ${PROJECT_SOURCE_DIR}/contracts/embed.py ${service} ${out}
    DEPENDS ${files}
    VERBATIM)
  trackops_generated_header(contracts_${name} ${out})
endfunction()

# Makes generated/contracts/events.json of contracts/events.yaml.
function(trackops_events_contract)
  set(out ${CMAKE_BINARY_DIR}/generated/contracts/events.json)
  add_custom_command(
    OUTPUT ${out}
    COMMAND ${TRACKOPS_PYTHON} -B ${PROJECT_SOURCE_DIR}/contracts/bundle.py events ${out}
    DEPENDS ${PROJECT_SOURCE_DIR}/contracts/bundle.py ${PROJECT_SOURCE_DIR}/contracts/events.yaml
    VERBATIM)
endfunction()
