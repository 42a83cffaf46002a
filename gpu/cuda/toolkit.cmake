# Looks for a CUDA toolkit that can build the kernels and sets DCA_CUDA_TOOLKIT to TRUE or FALSE; DCA_CUDA=ON fails
# without one. nvcc is called through gpu/cuda/compile.sh: CMake's own CUDA language does not know C++20 for every nvcc,
# and would bring itself to everything that links the program.
set(DCA_CUDA_TOOLKIT FALSE)
set(dca_cuda_minimum 12.4)

# Sets `problem` to why the toolkit cannot be used; empty where it can.
function(dca_check_toolkit)
    if(NOT CUDAToolkit_FOUND OR NOT CUDAToolkit_NVCC_EXECUTABLE)
        set(problem "no CUDA toolkit was found (nvcc in PATH or in /usr/local/cuda/bin; -DCUDAToolkit_ROOT names another place)"
            PARENT_SCOPE)
        return()
    elseif(CUDAToolkit_VERSION VERSION_LESS dca_cuda_minimum)
        set(problem "the CUDA toolkit ${CUDAToolkit_VERSION} in ${CUDAToolkit_BIN_DIR} is older than ${dca_cuda_minimum}"
            PARENT_SCOPE)
        return()
    elseif(NOT TARGET CUDA::cudart_static)
        set(problem "the CUDA toolkit in ${CUDAToolkit_BIN_DIR} has no libcudart_static.a" PARENT_SCOPE)
        return()
    endif()
    # A toolkit may refuse the host compiler, or be half installed: compile something.
    set(key "${CUDAToolkit_NVCC_EXECUTABLE} ${CUDAToolkit_VERSION} ${DCA_CUDA_OPTIONS}")
    if(NOT DCA_CUDA_WORKS STREQUAL key)
        set(probe "${PROJECT_BINARY_DIR}/gpu/toolkit_probe")
        file(WRITE "${probe}.cu"
            "#include <cuda_bf16.h>\n#include <type_traits>\nextern \"C\" __global__ void probe() {}\n")
        execute_process(COMMAND sh "${CMAKE_CURRENT_FUNCTION_LIST_DIR}/compile.sh" "${CUDAToolkit_NVCC_EXECUTABLE}"
                "${probe}.cu" "${probe}.o" ${DCA_CUDA_OPTIONS}
            RESULT_VARIABLE status OUTPUT_VARIABLE output ERROR_VARIABLE output)
        if(NOT status EQUAL 0)
            string(REGEX REPLACE "\n.*" "" output "${output}")
            set(problem "nvcc ${CUDAToolkit_VERSION} compiles nothing here: ${output}" PARENT_SCOPE)
            return()
        endif()
        set(DCA_CUDA_WORKS "${key}" CACHE INTERNAL "the toolkit that compiled a kernel")
    endif()
    set(problem "" PARENT_SCOPE)
endfunction()

if(DCA_CUDA MATCHES "^(1|TRUE|YES|Y)$")
    set(DCA_CUDA ON)
elseif(NOT DCA_CUDA)
    set(DCA_CUDA OFF)
elseif(NOT DCA_CUDA MATCHES "^(AUTO|ON)$")
    message(FATAL_ERROR "DCA_CUDA is ${DCA_CUDA}, must be AUTO, ON or OFF")
endif()

if(DCA_CUDA STREQUAL "AUTO" AND NOT PROJECT_IS_TOP_LEVEL)
    return() # part of another project, which wants a judge and no kernels
elseif(NOT DCA_CUDA STREQUAL "OFF")
    find_package(CUDAToolkit QUIET)
    set(DCA_CUDA_OPTIONS "")
    if(CMAKE_CUDA_HOST_COMPILER)
        list(APPEND DCA_CUDA_OPTIONS -ccbin "${CMAKE_CUDA_HOST_COMPILER}")
    endif()
    dca_check_toolkit()
    if(NOT problem)
        set(DCA_CUDA_TOOLKIT TRUE)
        message(STATUS "GPU kernels: built with CUDA ${CUDAToolkit_VERSION} (${CUDAToolkit_NVCC_EXECUTABLE})")
    elseif(DCA_CUDA STREQUAL "AUTO")
        message(STATUS "GPU kernels: emulated only; ${problem}")
    else()
        message(FATAL_ERROR
            "DCA_CUDA=ON: ${problem}; install CUDA ${dca_cuda_minimum} or later, or use AUTO or OFF")
    endif()
else()
    message(STATUS "GPU kernels: emulated only, as DCA_CUDA=OFF asks")
endif()
