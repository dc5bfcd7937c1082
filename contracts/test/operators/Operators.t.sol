// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {IOperators} from "../../src/interfaces/IOperators.sol";
import {NetworkTest} from "../support/NetworkTest.sol";

contract OperatorsTest is NetworkTest {
    bytes32 private constant METADATA = keccak256("metadata");
    bytes32 private constant KEY = keccak256("key");
    address private operator = makeAddr("operator");

    function test_RegisterIsSeenByEveryone() public {
        vm.expectEmit(address(operators));
        emit IOperators.OperatorRegistered(operator, METADATA, KEY, 5);
        vm.prank(operator);
        operators.register(METADATA, KEY, 5);

        IOperators.Operator memory record = operators.operator(operator);
        assertEq(record.metadata, METADATA);
        assertEq(record.key, KEY);
        assertEq(record.capabilities, 5);
        assertEq(record.registeredAt, _epoch());
        assertTrue(record.active);
        assertEq(operators.count(), 1);
    }

    function test_RegisteringTwiceIsRefused() public {
        vm.startPrank(operator);
        operators.register(METADATA, KEY, 1);
        vm.expectRevert(abi.encodeWithSelector(IOperators.Operators_AlreadyRegistered.selector, operator));
        operators.register(METADATA, KEY, 1);
    }

    function test_AKeyIsNeeded() public {
        vm.startPrank(operator);
        vm.expectRevert(IOperators.Operators_ZeroKey.selector);
        operators.register(METADATA, 0, 1);
        operators.register(METADATA, KEY, 1);
        vm.expectRevert(IOperators.Operators_ZeroKey.selector);
        operators.update(METADATA, 0, 1);
    }

    function test_ANativeAccountIsRefused(uint64 actor) public {
        address masked = address((uint160(0xff) << 152) | actor);
        vm.expectRevert(abi.encodeWithSelector(IOperators.Operators_MaskedAddress.selector, masked));
        vm.prank(masked);
        operators.register(METADATA, KEY, 1);
    }

    function test_UpdateReplacesEverythingButTheEpoch() public {
        vm.startPrank(operator);
        operators.register(METADATA, KEY, 1);
        uint40 registeredAt = _epoch();
        _skip(3);
        vm.expectEmit(address(operators));
        emit IOperators.OperatorUpdated(operator, keccak256("new"), keccak256("new key"), 2);
        operators.update(keccak256("new"), keccak256("new key"), 2);

        IOperators.Operator memory record = operators.operator(operator);
        assertEq(record.metadata, keccak256("new"));
        assertEq(record.key, keccak256("new key"));
        assertEq(record.capabilities, 2);
        assertEq(record.registeredAt, registeredAt);
    }

    function test_WhoIsNotRegisteredCannotUpdateOrRetire() public {
        bytes memory refusal = abi.encodeWithSelector(IOperators.Operators_NotRegistered.selector, operator);
        vm.startPrank(operator);
        vm.expectRevert(refusal);
        operators.update(METADATA, KEY, 1);
        vm.expectRevert(refusal);
        operators.retire();
    }

    function test_RetireEndsCapabilityAndRegisterRestoresItWithoutASecondListing() public {
        vm.startPrank(operator);
        operators.register(METADATA, KEY, 3);
        vm.expectEmit(address(operators));
        emit IOperators.OperatorRetired(operator);
        operators.retire();
        assertFalse(operators.isCapable(operator, 0));
        assertEq(operators.count(), 1);

        operators.register(METADATA, KEY, 3);
        assertTrue(operators.isCapable(operator, 3));
        assertEq(operators.count(), 1);
    }

    function test_CapableMeansEveryBit(uint64 has, uint64 required) public {
        vm.prank(operator);
        operators.register(METADATA, KEY, has);
        assertEq(operators.isCapable(operator, required), has | required == has);
        assertFalse(operators.isCapable(stranger, 0));
    }

    function test_PagesCoverTheListInOrder(uint8 total, uint8 size) public {
        total = uint8(bound(total, 0, 20));
        size = uint8(bound(size, 1, 25));
        for (uint256 i = 0; i < total; ++i) {
            vm.prank(address(uint160(i + 1)));
            operators.register(METADATA, KEY, 1);
        }
        uint256 seen;
        while (true) {
            address[] memory page = operators.page(seen, size);
            if (page.length == 0) break;
            assertLe(page.length, size);
            for (uint256 i = 0; i < page.length; ++i) {
                assertEq(page[i], address(uint160(++seen)));
            }
        }
        assertEq(seen, total);
    }

    function test_AnEndlessPageEndsWithTheList() public {
        vm.prank(operator);
        operators.register(METADATA, KEY, 1);
        assertEq(operators.page(0, type(uint256).max).length, 1);
        assertEq(operators.page(type(uint256).max, type(uint256).max).length, 0);
    }
}
